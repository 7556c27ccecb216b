import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNote, noteValues, SQLITE_TYPES } from '../note.ts'
import { openBare, type SqliteLibrary } from '../sqlite-library.ts'

/** The row of a key by the bare library: what `info` is held against. */
export async function create(options: {
  library: SqliteLibrary
  path: string
  rows: number
}): Promise<TimedContender> {
  const { library, path, rows } = options
  const database = await openBare(library, path)
  database.exec(`${createNotes(SQLITE_TYPES)}; CREATE UNIQUE INDEX IF NOT EXISTS notes_key ON notes (key)`)
  const insert = database.prepare(insertNote())
  database.exec('BEGIN')
  for (let index = 0; index < rows; index++) insert.run(...noteValues(index))
  database.exec('COMMIT')
  const select = database.prepare('SELECT * FROM notes WHERE key = ?')
  return { atOnce: 1, operate: index => select.get(noteValues(index % rows)[1]) }
}
