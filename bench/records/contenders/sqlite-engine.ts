import { monotonicFactory } from 'ulid'
import { sqlite } from '../../../dist/sqlite.js'
import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNoteStatement } from '../note.ts'
import { provideBetterSqlite3, type SqliteLibrary } from '../sqlite-library.ts'

export interface SqliteEngineOptions {
  library: SqliteLibrary
  path: string
  atOnce: number
  /** An operation id with every batch, as records give one. */
  ids?: boolean
  /** Each batch waits for the one before, so that nothing is grouped. */
  oneByOne?: boolean
}

export async function create(options: SqliteEngineOptions): Promise<TimedContender> {
  const { library, path, atOnce, ids = false, oneByOne = false } = options
  if (library === 'better-sqlite3') provideBetterSqlite3()
  const engine = sqlite({ path, driver: library })
  await engine.batch([[createNotes(engine.types)]])
  const newId = monotonicFactory()
  const write = (index: number) =>
    engine.batch([insertNoteStatement(index)], ids ? { id: newId() } : undefined)
  let last: Promise<unknown> = Promise.resolve()
  const writeAlone = (index: number) => {
    last = last.then(() => write(index))
    return last
  }
  return { atOnce, operate: oneByOne ? writeAlone : write }
}
