/**
 * The libraries that `sqlite()` runs on. better-sqlite3 is the one that the tests build into the tool cache
 * (test/support/better-sqlite3.ts): a plain install would have to compile it.
 */
import { createRequire, register } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findOrBuildBetterSqlite3 } from '../../test/support/better-sqlite3.ts'
import { toolCache } from '../../test/support/tools.ts'

export type SqliteLibrary = 'better-sqlite3' | 'libsql' | 'node:sqlite'

/** The bare library as the bench uses it. */
export interface BareDatabase {
  exec(sql: string): unknown
  prepare(sql: string): { run(...values: unknown[]): unknown; get(...values: unknown[]): unknown }
}

/** Those that are there, and a sentence for each that is not. */
export async function findSqliteLibraries(): Promise<{ found: SqliteLibrary[]; missing: string[] }> {
  const found: SqliteLibrary[] = []
  const missing: string[] = []
  const better = await findOrBuildBetterSqlite3(console.error)
  if ('missing' in better) missing.push(better.missing)
  else found.push('better-sqlite3')
  found.push('libsql')
  if (hasNodeSqlite()) found.push('node:sqlite')
  else missing.push(`node:sqlite is not in Node ${process.version}; it comes with 22.13`)
  return { found, missing }
}

/** Lets `import('better-sqlite3')` in this process find the one in the tool cache. */
export function provideBetterSqlite3(): void {
  const folder = join(dirname(toolCache()), `better-sqlite3-${process.versions.modules}`)
  const url = pathToFileURL(createRequire(join(folder, 'package.json')).resolve('better-sqlite3')).href
  const hook = `export const resolve = (specifier, context, next) =>
    specifier === 'better-sqlite3' ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(specifier, context)`
  register(`data:text/javascript,${encodeURIComponent(hook)}`)
}

/** With the durability of `sqlite()`: WAL, and on disk before an insert is answered. */
export async function openBare(library: SqliteLibrary, path: string): Promise<BareDatabase> {
  const database = await open(library, path)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  return database
}

async function open(library: SqliteLibrary, path: string): Promise<BareDatabase> {
  if (library === 'node:sqlite') {
    const { DatabaseSync } = await import(library as string)
    return new DatabaseSync(path)
  }
  if (library === 'better-sqlite3') provideBetterSqlite3()
  const { default: Database } = await import(library)
  return new Database(path)
}

function hasNodeSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}
