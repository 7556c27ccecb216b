/**
 * A location of a store, as `StorageProvider.location` has it: what the store is called, and beside it what else decides
 * which object a key names. No two lists of parts look alike.
 *
 * @example
 * ```ts
 * locationOf('tape', [library, reel]) // 'tape://library/reel/'
 * ```
 */
export function locationOf(kind: string, parts: readonly string[]): string {
  // `%2F` for a slash keeps ['a', 'b/c'] and ['a/b', 'c'] apart, and both from a prefix behind them.
  return `${kind}://${parts.map(encodeURIComponent).join('/')}/`
}

/** For messages: slashes as they were given. */
export function shownLocation(location: string): string {
  return location.replaceAll('%2F', '/')
}
