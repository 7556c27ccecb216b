/** A URL of ours, taken apart: what was signed and with what. */
export interface SignedPath {
  readonly signature: string
  /** Begins with the slash behind the signature. */
  readonly path: string
}

/** Of a URL below `endpoint`, or of its path; undefined where it is neither. A query is not part of it. */
export function signedPathOf(url: string, endpoint: string): SignedPath | undefined {
  // Whoever asks has it from a request, in which it may be absent.
  if (typeof url !== 'string') return undefined
  const path = url.startsWith(`${endpoint}/`) ? url.slice(endpoint.length) : url
  const found = /^\/([\w-]+)(\/[^?#]+)/.exec(path)
  return found === null ? undefined : { signature: found[1]!, path: found[2]! }
}

/** In a time that does not tell where the first difference is. */
export function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}
