import type { RecordSet } from './record-set.ts'

/** Raised whenever the database is another one than the bucket saw last: restored from a backup, or moved. */
export async function currentEpoch(set: RecordSet): Promise<number> {
  const [row] = await set.query([`SELECT value FROM ${set.table('settings')} WHERE name = 'epoch'`], {
    consistency: 'linearizable',
  })
  return Number(row?.value ?? 1)
}
