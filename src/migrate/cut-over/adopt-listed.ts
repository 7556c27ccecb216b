import { meetFiles, metLocation } from '../../records/meet-files.ts'
import { RecordSet } from '../../records/record-set.ts'
import { listTenants, tenantStatus } from '../../records/tenants.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { recordPlaces } from './record-places.ts'

/** Makes files of listed objects of the source that have no record. Gives how many there were. */
export type AdoptListed = (keys: readonly string[], signal: AbortSignal | undefined) => Promise<number>

/**
 * For the record sets of this database that lie here and adopt what they meet: the backfill meets all that is at the source, before it
 * copies it. So once it has ended, there is nothing left to be met.
 *
 * One of which it is not known where it lies is left out. That loses nothing: its objects are copied without a record and met later, on
 * either side. A record of an object in another store than the record set's would hide the one that is there.
 */
export async function adoptListed(set: CutOverSet): Promise<AdoptListed> {
  const { engine, now, monotonic, newId, owner } = set
  const places = await recordPlaces(set)
  const sets: RecordSet[] = []
  for (const tenant of await listTenants(engine)) {
    if (tenant.state !== 'active' || (await tenantStatus(engine, tenant.id)).schemaVersion === 0) continue
    if (!places.isHere(await metLocation(engine, tenant.id))) continue
    const options = { tenant: tenant.id, root: tenant.root, env: {}, now, monotonic, newId, owner }
    const records = new RecordSet(set.side('from'), engine, options, async () => tenant)
    await records.ready()
    if (records.adoptsMet) sets.push(records)
  }
  return async (physicals, signal) => {
    let count = 0
    for (const records of sets) {
      const root = await records.root()
      const keys = physicals.flatMap(key =>
        key.startsWith(root) && key.length > root.length ? [key.slice(root.length)] : [],
      )
      count += (await meetFiles(records, keys, { signal })) ?? 0
    }
    return count
  }
}
