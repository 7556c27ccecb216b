import { postgres } from '../../../dist/postgres.js'
import { createNotes, insertNoteStatement } from '../note.ts'
import type { RecordsContender } from './contender.ts'

export async function create(options: {
  url: string
  table: string
  atOnce: number
}): Promise<RecordsContender> {
  const { url, table, atOnce } = options
  const engine = postgres({ url })
  await engine.batch([[createNotes(engine.types, table)]])
  return { atOnce, operate: index => engine.batch([insertNoteStatement(index, table)]) }
}
