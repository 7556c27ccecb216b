import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'

export interface RqliteOptions {
  /**
   * Address of one node or of several, the nearest first: `http://10.0.0.1:4001`. The others of the cluster are found
   * through those that answer.
   */
  url: string | string[]
  /** Name and password of basic authentication. */
  auth?: RqliteAuth
  /** For `https:` with certificates of your own. */
  tls?: RqliteTls
  /**
   * Milliseconds of silence after which a request is given up, and a second more for each MiB it sends. A node that
   * answers nothing at all is given up earlier. Default: 5,000.
   */
  timeoutMs?: number
  /** Milliseconds that a whole operation may take, changes of leader included. Default: 30,000. */
  deadlineMs?: number
  /** Reads with `stale` refuse what is older than this. Default: any age. */
  freshnessMs?: number
  /** Connections to one node, kept open. Default: 64. */
  maxConnections?: number
  /** Statements of grouped batches in one request at most; 1 for no grouping. Default: 512. */
  groupMax?: number
  /** Milliseconds since 1970, recorded with the ids of operations. Default: `Date.now`. */
  now?: () => number
  /** Between 0 and 1, for waits between tries. Default: `Math.random`. */
  random?: () => number
  /** Waits between tries. Default: a timer. */
  wait?: (ms: number) => Promise<void>
}

export interface RqliteAuth {
  username: string
  password: string
}

export interface RqliteTls {
  /** PEM. */
  ca?: string | Uint8Array
  /** The client's own certificate, PEM. */
  cert?: string | Uint8Array
  key?: string | Uint8Array
  /** `false` accepts any certificate. Default: true. */
  rejectUnauthorized?: boolean
  /** The name that the certificate must hold, where it is not that of the address. */
  servername?: string
}

export interface Settings {
  /** Origins: `http://10.0.0.1:4001`. */
  readonly urls: readonly string[]
  readonly authorization: string | undefined
  readonly tls: RqliteTls
  readonly timeoutMs: number
  readonly deadlineMs: number
  readonly freshnessMs: number | undefined
  readonly maxConnections: number
  readonly groupMax: number
  readonly now: () => number
  readonly random: () => number
  readonly wait: (ms: number) => Promise<void>
}

/** @throws `invalid-argument` for options that are missing, unknown or no such thing, and for secrets in a URL */
export function readOptions(options: RqliteOptions): Settings {
  assertFactoryOptions('rqlite', options, {
    url: 'string or array',
    auth: 'object',
    tls: 'object',
    timeoutMs: 'number',
    deadlineMs: 'number',
    freshnessMs: 'number',
    maxConnections: 'number',
    groupMax: 'number',
    now: 'function',
    random: 'function',
    wait: 'function',
  })
  const { auth, tls = {}, freshnessMs } = options
  assertFactoryOptions('rqlite: tls', tls, {
    ca: 'string or object',
    cert: 'string or object',
    key: 'string or object',
    rejectUnauthorized: 'boolean',
    servername: 'string',
  })
  return {
    urls: readUrls(options.url),
    authorization: auth === undefined ? undefined : basic(auth),
    tls,
    timeoutMs: positive('timeoutMs', options.timeoutMs ?? 5000),
    deadlineMs: positive('deadlineMs', options.deadlineMs ?? 30_000),
    freshnessMs: freshnessMs === undefined ? undefined : positive('freshnessMs', freshnessMs),
    maxConnections: whole('maxConnections', options.maxConnections ?? 64),
    groupMax: whole('groupMax', options.groupMax ?? 512),
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    wait: options.wait ?? (ms => new Promise(resolve => setTimeout(resolve, ms))),
  }
}

function readUrls(url: string | string[] | undefined): string[] {
  const urls = typeof url === 'string' ? [url] : (url ?? [])
  if (urls.length === 0) throw refuse('url is missing; name a node: http://127.0.0.1:4001')
  const origins = urls.map(readUrl)
  if (new Set(origins.map(origin => new URL(origin).protocol)).size > 1)
    throw refuse('some of the addresses are http: and some https:; a cluster speaks one of them')
  return [...new Set(origins)]
}

function readUrl(url: string): string {
  // Looked for by hand: a password with odd signs makes a URL that can't be parsed, or another one.
  if (typeof url === 'string' && url.includes('@'))
    throw refuse('a URL holds no user and no password; give them as auth: { username, password }')
  if (typeof url !== 'string' || !URL.canParse(url)) throw refuse('url must be like http://127.0.0.1:4001')
  const { protocol, origin, pathname, search, hash } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') throw refuse('url must begin with http:// or https://')
  if (pathname !== '/' || search !== '' || hash !== '')
    throw refuse('url ends after the port; paths and parameters are set by stowage')
  return origin
}

function basic(auth: RqliteAuth): string {
  assertFactoryOptions('rqlite: auth', auth, { username: 'string', password: 'string' })
  const { username, password } = auth
  if (!username || password === undefined) throw refuse('auth needs a username and a password')
  if (username.includes(':')) throw refuse('a username of basic authentication holds no colon')
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function positive(name: string, value: number): number {
  if (value > 0 && value <= 2 ** 31 - 1) return value
  throw refuse(`${name} must be a number of milliseconds above 0`)
}

function whole(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw refuse(`${name} must be a whole number above 0`)
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `rqlite: ${problem}`, { provider: 'rqlite' })
}
