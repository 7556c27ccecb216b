/**
 * Keys and values of the cache.
 *
 * An object has a generation, a random id, and beside it an entry for each way in which its URL is asked for. An entry
 * names the generation that it was signed under and holds for no other: removing the generation ends them all, those
 * that are still being signed included. Why: docs/decisions/url-cache-generations.md.
 */
import type { SignedMethod } from '../core/capabilities.ts'

/** How a URL is asked for. */
export interface Wish {
  readonly method: SignedMethod
  /** Seconds. */
  readonly expiresIn: number
  /** As `SignedUrlOptions` has it; undefined for a URL that is shown, not saved. */
  readonly download: true | string | undefined
}

export interface Entry {
  readonly url: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

const GENERATION = /^[\w-]{16}$/

/**
 * Key of an object's generation. The braces are Redis Cluster's hash tag: entries lie on the node of their generation.
 */
export function generationKey(version: string, location: string, key: string): string {
  return `${version}{${location}${key}}`
}

/** What stands behind the generation's key to make it that of an entry. Never holds a brace, so no two keys look alike. */
export function entrySuffix({ method, expiresIn, download }: Wish): string {
  const saved = download === undefined ? '' : `&${download === true ? '' : encodeURIComponent(download)}`
  return `:${method}${expiresIn}${saved}`
}

export function isGeneration(value: string | undefined): value is string {
  return value !== undefined && GENERATION.test(value)
}

export function entryValue(generation: string, { url, expiresAt }: Entry): string {
  return `${generation} ${expiresAt} ${url}`
}

/** When a URL that is handed out may end, in milliseconds since 1970. */
export interface Ends {
  readonly notBefore: number
  readonly notAfter: number
}

/** A process whose clock is ahead by more keeps URLs for itself: they live for longer than others asked for. */
const MOST_AHEAD_MS = 5 * 60_000

export function endsOf({ expiresIn }: Wish, now: number, marginMs: number): Ends {
  return { notBefore: now + marginMs, notAfter: now + expiresIn * 1000 + MOST_AHEAD_MS }
}

/** The entry, where it was written under this generation and ends in time; whatever else is no entry. */
export function readEntry(
  value: string | undefined,
  generation: string,
  { notBefore, notAfter }: Ends,
): Entry | undefined {
  if (value === undefined || !value.startsWith(generation)) return undefined
  const from = generation.length
  const gap = value.indexOf(' ', from + 1)
  if (value[from] !== ' ' || gap < 0) return undefined
  const expiresAt = Number(value.slice(from + 1, gap))
  if (!(Number.isSafeInteger(expiresAt) && expiresAt >= notBefore && expiresAt <= notAfter)) return undefined
  return value.startsWith('http', gap + 1) ? { url: value.slice(gap + 1), expiresAt } : undefined
}
