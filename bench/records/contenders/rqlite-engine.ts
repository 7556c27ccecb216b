import { monotonicFactory } from 'ulid'
import { rqlite } from '../../../dist/rqlite.js'
import type { Consistency } from '../../../src/sql/engine.ts'
import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNoteStatement } from '../note.ts'

export interface RqliteEngineOptions {
  urls: string[]
  table: string
  atOnce: number
  work: 'write' | 'read'
  ids?: boolean
  consistency?: Consistency
  /** Ids of rows that are there: 1 to this. */
  rows?: number
}

export async function create(options: RqliteEngineOptions): Promise<TimedContender> {
  const { urls, table, atOnce, work, ids = false, consistency, rows = 1 } = options
  const engine = rqlite({ url: urls })
  if (work === 'write') await engine.batch([[createNotes(engine.types, table)]])
  const newId = monotonicFactory()
  const write = (index: number) =>
    engine.batch([insertNoteStatement(index, table)], ids ? { id: newId() } : undefined)
  const read = async (index: number) => {
    const id = BigInt((index % rows) + 1)
    const [row] = await engine.query([`SELECT * FROM ${table} WHERE id = ?`, id], { consistency })
    if (row?.id !== id) throw new Error(`row ${id} was not read`)
  }
  return { atOnce, operate: work === 'write' ? write : read }
}
