import { monotonicFactory } from 'ulid'
import { postgres } from '../../../dist/postgres.js'
import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNoteStatement } from '../note.ts'

export async function create(options: {
  url: string
  table: string
  atOnce: number
  /** An operation id with every batch, as records give one: then COMMIT goes along with the statements. */
  ids?: boolean
}): Promise<TimedContender> {
  const { url, table, atOnce, ids = false } = options
  const engine = postgres({ url })
  await engine.batch([[createNotes(engine.types, table)]])
  const newId = monotonicFactory()
  const write = (index: number) =>
    engine.batch([insertNoteStatement(index, table)], ids ? { id: newId() } : undefined)
  return { atOnce, operate: write }
}
