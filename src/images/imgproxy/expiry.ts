import { refusal } from './refusal.ts'

/** Seconds since 1970 reach this in the year 5138; milliseconds passed it in 1973. */
const HIGHEST_SECONDS = 1e11

interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** When a URL ends, in seconds since 1970; 0 for never. @throws `invalid-argument` where it is in the past or in milliseconds */
export function expirySeconds(expires: unknown, clock: Clock): number {
  const seconds = expires instanceof Date ? Math.floor(expires.getTime() / 1000) : expires
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 0)
    throw refusal('expires must be a valid Date or whole seconds since 1970, 0 for never')
  if (seconds > HIGHEST_SECONDS)
    throw refusal('expires must be in seconds since 1970: this looks like milliseconds, which never end')
  assertAhead(seconds, clock)
  return seconds
}

/** imgproxy answers 404 from the second that follows `seconds`. */
export function assertAhead(seconds: number, clock: Clock): void {
  if (seconds !== 0 && seconds * 1000 + 999 < clock.now()) throw refusal('expires is in the past')
}

/**
 * The end of a URL that lives `ttl` seconds, moved on to the next step of `window`: all URLs of a source that are made
 * within one are the same, so that a CDN keeps one copy. Each source has steps of its own: with common ones all images of
 * a site would get new URLs in the same second, and the server all its work at once.
 */
export function windowEnd(nowMs: number, ttl: number, window: number, source: string): number {
  if (!Number.isFinite(nowMs)) throw refusal('now must return milliseconds since 1970')
  const phase = hashOf(source) % window
  return Math.ceil((nowMs / 1000 + ttl - phase) / window) * window + phase
}

/** FNV-1a and the last steps of MurmurHash3, which spread it: 32 bits, the same everywhere, no secret. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
