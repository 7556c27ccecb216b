import { StorageError } from '../core/errors.ts'
import type { Engine } from '../sql/engine.ts'

export interface OpenEngineOptions {
  /** Where secrets are looked up. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
}

const FORMS = 'sqlite:./records.db, postgres://user@host/database or rqlite://host1:4001,host2:4001'

/**
 * The engine of records by its URL. Imports the one that the URL names and no other.
 *
 * | URL | engine |
 * | --- | --- |
 * | `sqlite:./records.db`, `sqlite:/srv/records.db` | a file; its folder must exist |
 * | `postgres://user@host:5432/database` | PostgreSQL; the password from `PGPASSWORD` |
 * | `rqlite://host1:4001,host2:4001`, `rqlites://…` | a cluster, over TLS with the s; `RQLITE_USERNAME` and `RQLITE_PASSWORD` |
 *
 * @throws `invalid-argument` for a form that it does not know, and for a user or a password in the URL of rqlite, which
 *   it does not repeat; `unsupported` where a package is missing
 * @example
 * ```ts
 * const engine = await openEngine('sqlite:./records.db')
 * ```
 */
export async function openEngine(
  url: string,
  { env = process.env }: OpenEngineOptions = {},
): Promise<Engine> {
  const [, kind, location] = /^(sqlite|postgres|postgresql|rqlites?):(.+)$/s.exec(String(url)) ?? []
  if (kind === undefined || location === undefined)
    throw refuse(`this is no URL of records; known are ${FORMS}`)
  if (kind === 'sqlite') {
    const { sqlite } = await import('../sql/sqlite/index.ts')
    return sqlite({ path: pathOf(location) })
  }
  if (kind === 'rqlite' || kind === 'rqlites') {
    const { rqlite } = await import('../sql/rqlite/index.ts')
    const { RQLITE_USERNAME: username, RQLITE_PASSWORD: password } = env
    const auth = username ? { username, password: password ?? '' } : undefined
    return rqlite({ url: addresses(kind === 'rqlite' ? 'http' : 'https', location), auth })
  }
  const { postgres } = await import('../sql/postgres/index.ts')
  return postgres({ url: withPassword(url, env.PGPASSWORD) })
}

function pathOf(location: string): string {
  if (location.startsWith('//') && !location.startsWith('///'))
    throw refuse(
      'sqlite:// takes an absolute path: sqlite:///srv/records.db; relative is sqlite:./records.db',
    )
  return location.replace(/^\/\/\//, '/')
}

function addresses(scheme: 'http' | 'https', location: string): string[] {
  if (location.includes('@'))
    throw refuse('a URL of rqlite holds no user and no password; set RQLITE_USERNAME and RQLITE_PASSWORD')
  const hosts = location.replace(/^\/\//, '').replace(/\/$/, '').split(',')
  if (!location.startsWith('//') || hosts.some(host => !/^(?:\[[\da-f:]+\]|[\w.-]+)(?::\d+)?$/i.test(host)))
    throw refuse('name the nodes: rqlite://host1:4001,host2:4001')
  return hosts.map(host => `${scheme}://${/:\d+$/.test(host) ? host : `${host}:4001`}`)
}

/** So that no password has to stand in a list of processes. */
function withPassword(url: string, password: string | undefined): string {
  if (!password || !URL.canParse(url)) return url
  const parsed = new URL(url)
  if (parsed.username === '' || parsed.password !== '') return url
  parsed.password = encodeURIComponent(password)
  return parsed.href
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `openEngine: ${problem}`, { operation: 'openEngine' })
}
