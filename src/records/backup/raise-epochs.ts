import type { StorageProvider } from '../../core/provider.ts'
import type { Engine } from '../../sql/engine.ts'
import { raiseEpoch } from '../marker.ts'
import { RecordSet } from '../record-set.ts'
import { existingTenant, listTenants } from '../tenants.ts'

/**
 * Begins a new epoch for each tenant of a database that was restored by other means than `restoreRecords`: with
 * pg_restore, or by a snapshot of a disk. Workers that go on from before stop, and collect waits for a confirmed audit.
 *
 * @param files the store of the files that the records are of
 * @returns the new epochs
 * @throws `conflict` where the files belong to another database, or another process raises the epoch at the same time
 */
export async function raiseEpochs(
  engine: Engine,
  files: StorageProvider,
  tenants?: readonly string[],
): Promise<Record<string, number>> {
  const known = (await listTenants(engine)).filter(tenant => tenant.state !== 'moved')
  const epochs: Record<string, number> = {}
  for (const id of tenants ?? known.map(tenant => tenant.id))
    epochs[id] = await raiseEpoch(
      new RecordSet(files, engine, { tenant: id }, () => existingTenant(engine, id)),
    )
  return epochs
}
