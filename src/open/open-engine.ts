import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { Engine } from '../sql/engine.ts'
import { decodePart } from './decode-part.ts'

export interface OpenEngineOptions {
  /** Where secrets and defaults are looked up. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
}

type Env = NonNullable<OpenEngineOptions['env']>

const FORMS = 'sqlite:./records.db, postgres://user@host/database, rqlite://host:4001,host2:4001'

/**
 * An SQL engine by its URL. Imports the one that the URL names and no other. Passwords come from the environment only,
 * since other users of a machine see command lines.
 *
 * | URL | engine | from the environment |
 * | --- | --- | --- |
 * | `sqlite:./records.db`, `sqlite:/srv/records.db`, `sqlite::memory:` | SQLite | |
 * | `postgres://user@host:5432/database?schema=files` | PostgreSQL | `PGPASSWORD`; `PGUSER` where the URL names no user |
 * | `postgres:` | PostgreSQL | `DATABASE_URL`, which may hold a password |
 * | `rqlite://host:4001,host2:4001`, over TLS `rqlites://…` | rqlite | `STOWAGE_RQLITE_USERNAME`, `STOWAGE_RQLITE_PASSWORD` |
 *
 * @throws `invalid-argument` for what it does not know, and for passwords in the URL; `unsupported` with the line that
 *   installs them where packages are missing
 *
 * @example
 * ```ts
 * const engine = await openEngine('sqlite:./records.db')
 * const files = withRecords(await open('file:./data'), engine)
 * ```
 */
export async function openEngine(url: string, options: OpenEngineOptions = {}): Promise<Engine> {
  assertFactoryOptions('openEngine', options, { env: 'object' })
  const env = options.env ?? process.env
  if (typeof url !== 'string') throw refuse('the URL of a database must be a string')
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/is.exec(url) ?? []
  switch (scheme.toLowerCase()) {
    case 'sqlite':
      return openSqlite(rest)
    case 'postgres':
    case 'postgresql':
      return openPostgres(rest, env)
    case 'rqlite':
      return openRqlite(rest, 'http', env)
    case 'rqlites':
      return openRqlite(rest, 'https', env)
    default:
      throw refuse(`this is no URL of a database; known are ${FORMS}`)
  }
}

async function openSqlite(rest: string): Promise<Engine> {
  const { sqlite } = await import('../sql/sqlite/index.ts')
  if (rest === ':memory:') return sqlite({ path: rest })
  if (/[?#]/.test(rest))
    throw refuse('a sqlite URL takes no parameters; a ? in a name is written %3F, a # %23')
  if (rest.startsWith('//') && !rest.startsWith('///'))
    throw refuse(
      'sqlite:// takes an absolute path: sqlite:///srv/records.db; relative is sqlite:./records.db',
    )
  const path = decodePart(rest.replace(/^\/\/(?=\/)/, ''), refuse)
  if (path === '') throw refuse('name the database file: sqlite:./records.db')
  return sqlite({ path })
}

async function openPostgres(rest: string, env: Env): Promise<Engine> {
  const { postgres } = await import('../sql/postgres/index.ts')
  if (rest === '' || rest === '//') {
    const { DATABASE_URL } = env
    if (!DATABASE_URL) throw refuse('postgres: alone means DATABASE_URL, which is not set')
    return postgres(withSchema(parsePostgres(DATABASE_URL, 'DATABASE_URL')))
  }
  // Read by hand first: a password with odd signs makes a URL that can't be parsed, and must not be shown.
  if (/^\/\/[^@]*:[^@]*@/.test(rest) || /[?&](?:password|pass|pwd)=/i.test(rest))
    throw refuse('a postgres URL holds no password; set PGPASSWORD, or write postgres: and set DATABASE_URL')
  const url = parsePostgres(`postgres:${rest}`, 'the URL')
  if (url.username === '' && env.PGUSER) url.username = encodeURIComponent(env.PGUSER)
  if (env.PGPASSWORD) url.password = encodeURIComponent(env.PGPASSWORD)
  return postgres(withSchema(url))
}

function parsePostgres(text: string, what: string): URL {
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text))
    throw refuse(`${what} must be like postgres://user@host:5432/database`)
  return new URL(text)
}

/** `schema` is ours; every other parameter is the library's. */
function withSchema(url: URL) {
  const schema = url.searchParams.get('schema')
  url.searchParams.delete('schema')
  return { url: url.href, ...(schema === null ? {} : { schema }) }
}

async function openRqlite(rest: string, protocol: 'http' | 'https', env: Env): Promise<Engine> {
  const { rqlite } = await import('../sql/rqlite/index.ts')
  if (rest.includes('@'))
    throw refuse(
      'a rqlite URL holds no user and no password; set STOWAGE_RQLITE_USERNAME and STOWAGE_RQLITE_PASSWORD',
    )
  const hosts = /^\/\/([^/?#]+)\/?$/.exec(rest)?.[1]?.split(',') ?? []
  if (hosts.length === 0 || hosts.some(host => host === ''))
    throw refuse('name the nodes: rqlite://host:4001,host2:4001')
  const url = hosts.map(host => `${protocol}://${/:\d+$/.test(host) ? host : `${host}:4001`}`)
  const { STOWAGE_RQLITE_USERNAME: username, STOWAGE_RQLITE_PASSWORD: password } = env
  if (username && password === undefined)
    throw refuse('STOWAGE_RQLITE_USERNAME is set and STOWAGE_RQLITE_PASSWORD is not')
  return rqlite({ url, ...(username ? { auth: { username, password: password! } } : {}) })
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `openEngine: ${problem}`, { operation: 'openEngine' })
}
