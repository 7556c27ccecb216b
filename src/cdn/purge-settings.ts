import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions, type OptionKinds } from '../core/factory-options.ts'
import { encodeKey } from '../core/keys.ts'

/** What every invalidator of a CDN takes beside its vendor's own options. */
export interface PurgeOptions {
  /**
   * URL paths under which a physical key is served, percent-encoded. Default: `/` and the key, in each of the two
   * spellings that clients send where they differ (`/a%2Bb` and `/a+b`). `false`: keys are in no path, only the paths
   * that were handed out are purged.
   */
  keyPath?: false | ((key: string) => string | readonly string[])
  /** Milliseconds for one request, after which it counts as lost. Default: 10,000. */
  requestTimeoutMs?: number
  /** Tries of one request within a call, 1 or more. Default: 3. The journal comes again later anyway. */
  attempts?: number
  /**
   * No wait within a call is longer, in milliseconds: not for the rate, not for `Retry-After`. What would have to wait
   * longer ends as `rate-limited` with its `retryAfterMs`. Default: 10,000.
   */
  maxWaitMs?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
  /** Waits so many milliseconds, or until the signal ends. Default: a timer. */
  sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** A number from 0 to 1, as `Math.random` gives, which is the default. */
  random?: () => number
  /** Names a call whose targets have no `reference`. Default: a random UUID. */
  id?: () => string
}

export type PurgeSettings = Required<PurgeOptions>

const KINDS: OptionKinds<PurgeOptions> = {
  keyPath: 'boolean or function',
  requestTimeoutMs: 'number',
  attempts: 'number',
  maxWaitMs: 'number',
  now: 'function',
  sleep: 'function',
  random: 'function',
  id: 'function',
}

/** Checks all options of `factory`. @throws `invalid-argument`, without any value */
export function purgeSettings<Options extends PurgeOptions>(
  factory: string,
  options: Options,
  own: OptionKinds<Omit<Options, keyof PurgeOptions>>,
): PurgeSettings {
  assertFactoryOptions(factory, options, { ...KINDS, ...own } as OptionKinds<Options>)
  if ((options.keyPath as unknown) === true)
    throw badOption(factory, 'keyPath must be a function or false; leave it out for the default')
  return {
    keyPath: options.keyPath ?? keyPaths,
    requestTimeoutMs: least(factory, 'requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1),
    attempts: least(factory, 'attempts', options.attempts ?? 3, 1),
    maxWaitMs: least(factory, 'maxWaitMs', options.maxWaitMs ?? 10_000, 0),
    now: options.now ?? Date.now,
    sleep: options.sleep ?? ((ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal })),
    random: options.random ?? Math.random,
    id: options.id ?? randomUUID,
  }
}

export function badOption(factory: string, problem: string): StorageError {
  return new StorageError('invalid-argument', `${factory}: ${problem}`, { provider: factory })
}

/** `value`, which must be a whole number of at least `limit`. */
export function least(factory: string, name: string, value: number, limit: number): number {
  if (Number.isInteger(value) && value >= limit) return value
  throw badOption(factory, `${name} must be a whole number of at least ${limit}`)
}

/** A secret as it goes into a header. Its value is in no message. */
export function secretOf(factory: string, name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value
  throw badOption(factory, `${name} must be a token: printable ASCII without spaces`)
}

/** The id of something at the vendor's, as it goes into a path. */
export function idOf(factory: string, name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\w-]+$/.test(value)) return value
  throw badOption(factory, `${name} must be an id of letters, digits, - and _`)
}

/**
 * The origin of the URLs that were handed out. It has no path of its own: the paths of a target are whole, and
 * `keyPath` says where keys are.
 */
export function originOf(factory: string, name: string, value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw badOption(factory, `${name} must be a URL such as https://files.example.org`)
  if (url.username !== '' || url.password !== '')
    throw badOption(factory, `${name} must hold no user name and no password`)
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(String(value)))
    throw badOption(factory, `${name} must have no query and no fragment`)
  if (url.pathname !== '/')
    throw badOption(
      factory,
      `${name} must end after the host; name a folder with keyPath: key => '/folder/' + key`,
    )
  return url.origin
}

/** AWS signatures want everything encoded that is not unreserved; browsers leave more of a typed URL as it is. */
function keyPaths(key: string): string[] {
  const strict = encodeKey(key)
  const loose = encodeURI(key).replace(/[?#]/g, char => (char === '?' ? '%3F' : '%23'))
  return [...new Set([`/${strict}`, `/${loose}`])]
}
