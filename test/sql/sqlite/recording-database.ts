import type { SqliteDatabase } from '../../../src/sql/sqlite/index.ts'
import { libsql } from './drivers.ts'

/** A database that notes which statements run on it, and fails at those it is told to. */
export function recordingDatabase(path: string) {
  const inner = libsql.database(path) as Extract<SqliteDatabase, { inTransaction: boolean }>
  const ran: string[] = []
  const failures = new Map<string, string>()
  const note = (sql: string) => {
    ran.push(sql)
    const code = failures.get(sql)
    if (code === undefined) return
    failures.delete(sql)
    throw Object.assign(new Error(`${code} was asked for`), { code })
  }
  const database: SqliteDatabase = {
    prepare(sql) {
      const statement = inner.prepare(sql)
      return {
        reader: statement.reader,
        safeIntegers: enabled => statement.safeIntegers(enabled),
        all: (parameters: unknown) => {
          note(sql)
          return statement.all(parameters)
        },
        run: (parameters: unknown) => {
          note(sql)
          return statement.run(parameters)
        },
      }
    },
    exec: sql => inner.exec(sql),
    close: () => inner.close(),
    get inTransaction() {
      return inner.inTransaction
    },
  }
  return {
    database,
    /** What ran since it was last asked, without what is asked for only to look. */
    ran: () => ran.splice(0).filter(sql => !/^SELECT|^PRAGMA busy_timeout$/.test(sql)),
    /** The next `sql` fails with this result code of SQLite. */
    fail: (sql: string, code: string) => failures.set(sql, code),
  }
}
