import pg from 'pg'
import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNote, noteValues } from '../note.ts'

/** `pg` with a named, prepared statement; each insert is a transaction of its own. */
export async function create(options: {
  url: string
  table: string
  atOnce: number
}): Promise<TimedContender> {
  const { url, table, atOnce } = options
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(createNotes({ integer: 'BIGINT', text: 'TEXT' }, table))
  const text = insertNote(table, ['$1', '$2', '$3', '$4', '$5'])
  const insert = (index: number) => pool.query({ name: 'insert', text, values: noteValues(index) })
  return { atOnce, operate: insert }
}
