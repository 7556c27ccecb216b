/** `withRecords` as the bench uses it: over SQLite in a file, with a tenant of its own. */
import { withRecords } from '../../dist/records.js'
import { sqlite } from '../../dist/sqlite.js'
import type { RecordedFiles } from '../../src/records/recorded-files.ts'
import type { Engine } from '../../src/sql/engine.ts'
import type { Target } from '../contenders/contender.ts'
import { provideBetterSqlite3, type SqliteLibrary } from './sqlite-library.ts'

export interface RecordsFile {
  library: SqliteLibrary
  path: string
}

export function openEngine({ library, path }: RecordsFile): Engine {
  if (library === 'better-sqlite3') provideBetterSqlite3()
  return sqlite({ path, driver: library }) as Engine
}

export function filesWithRecords(
  store: unknown,
  records: RecordsFile | Engine,
  options: { tenant?: string } = {},
): RecordedFiles {
  const engine = 'library' in records ? openEngine(records) : records
  // Whose environment this runs in must not matter.
  return withRecords(store as never, engine as never, { env: {}, ...options }) as unknown as RecordedFiles
}

export function s3Options({ endpoint, region, bucket, accessKeyId, secretAccessKey }: Target) {
  return { bucket, endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } }
}
