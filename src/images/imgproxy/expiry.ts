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
 * The end of a URL that lives `ttl` seconds, moved on to the next multiple of `window`: all URLs of one window end
 * together, so that they are the same URL and a CDN keeps one copy.
 */
export function windowEnd(nowMs: number, ttl: number, window: number): number {
  return Math.ceil((nowMs / 1000 + ttl) / window) * window
}
