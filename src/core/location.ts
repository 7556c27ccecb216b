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

/** Names that are made anew in each process, for what nobody else can know: a memory, and a client that keeps its endpoint to itself. */
const ANEW = /^(?:client-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

/** What stands in a location for how one program looks at the place: the address of a folder's URLs, a user of Supabase. */
const VIEWS: Readonly<Record<string, RegExp>> = {
  file: /^\/https?%3A[^/]*/,
  supabase: /(?<=^\/[^/]*(?:\/escape)?)\/as%3D[^/]*/,
}

/**
 * Whether two locations are two places, as far as they tell: of a name that is made anew only the rest is compared.
 */
export function isElsewhere(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)]
  const hasOtherName = a.name !== b.name && !ANEW.test(a.name) && !ANEW.test(b.name)
  return a.kind !== b.kind || hasOtherName || a.rest !== b.rest
}

function partsOf(location: string): { kind: string; name: string; rest: string } {
  const [, kind = '', name = '', rest = location] = /^([^:]*):\/\/([^/]*)(.*)$/s.exec(location) ?? []
  return { kind, name, rest: rest.replace(VIEWS[kind] ?? '', '') }
}

/** For messages: its parts as they were given. */
export function shownLocation(location: string): string {
  try {
    return decodeURIComponent(location)
  } catch {
    // The root of a prefix stands there as it is.
    return location
  }
}
