/** Objects without a record, as audits saw them: one is collected when it was seen twice, a grace apart. */
import { HELD, type Statement } from '../sql/engine.ts'
import type { Unrecorded } from './compare-bytes.ts'
import { placeholders, type RecordSet } from './record-set.ts'

/** Remembers those that are new, or that are other objects than were seen before. */
export async function rememberSightings(
  set: RecordSet,
  seen: readonly Unrecorded[],
  at: number,
): Promise<void> {
  const fresh = seen.filter(({ sighting }) => sighting === undefined)
  if (fresh.length === 0) return
  const id = `${set.newId()}:seen`
  const statements = fresh.map(
    ({ object }): Statement => [
      `INSERT INTO ${set.table('orphans')} (physical, size, etag, seen_at) SELECT ?, ?, ?, ? WHERE ${HELD} ON CONFLICT (physical) DO UPDATE SET size = excluded.size, etag = excluded.etag, seen_at = excluded.seen_at`,
      object.key,
      BigInt(object.size),
      object.etag ?? null,
      BigInt(at),
      id,
    ],
  )
  await set.batch(statements, { id })
}

export async function forgetSightings(set: RecordSet, physicals: readonly string[]): Promise<void> {
  if (physicals.length === 0) return
  const id = `${set.newId()}:unseen`
  await set.batch(
    [
      [
        `DELETE FROM ${set.table('orphans')} WHERE physical IN (${placeholders(physicals)}) AND ${HELD}`,
        ...physicals,
        id,
      ],
    ],
    { id },
  )
}
