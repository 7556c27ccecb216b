/** The row that every writer of the bench inserts: about what a file's record holds. */
import type { ColumnTypes, Statement } from '../../src/sql/engine.ts'

export const SQLITE_TYPES = { integer: 'INTEGER', text: 'TEXT' }

export function createNotes(
  { integer, text }: Pick<ColumnTypes, 'integer' | 'text'>,
  table = 'notes',
): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (id ${integer} PRIMARY KEY, key ${text} NOT NULL, size ${integer} NOT NULL, content_type ${text} NOT NULL, created_at ${integer} NOT NULL)`
}

export function insertNote(table = 'notes', marks: readonly string[] = ['?', '?', '?', '?', '?']): string {
  return `INSERT INTO ${table} (id, key, size, content_type, created_at) VALUES (${marks.join(', ')})`
}

/** As a bare client gives them. */
export function noteValues(index: number): [number, string, number, string, number] {
  return [index + 1, `photos/2026/${index}.jpg`, 4096, 'image/jpeg', 1_790_000_000_000 + index]
}

/** As an engine takes it: integers are bigints. */
export function insertNoteStatement(index: number, table = 'notes'): Statement {
  const values = noteValues(index).map(value => (typeof value === 'number' ? BigInt(value) : value))
  return [insertNote(table), ...values]
}
