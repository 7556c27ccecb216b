import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNote, noteValues, SQLITE_TYPES } from '../note.ts'
import { openBare, type SqliteLibrary } from '../sqlite-library.ts'

/** One client that inserts row by row with one prepared statement: nothing but the library. */
export async function create(options: { library: SqliteLibrary; path: string }): Promise<TimedContender> {
  const database = await openBare(options.library, options.path)
  database.exec(createNotes(SQLITE_TYPES))
  const insert = database.prepare(insertNote())
  return { atOnce: 1, operate: index => insert.run(...noteValues(index)) }
}
