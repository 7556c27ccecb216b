import { metLocation } from '../../records/meet-files.ts'
import { tenantTable } from '../../records/tenant-id.ts'
import { listTenants, tenantStatus } from '../../records/tenants.ts'
import type { Statement } from '../../sql/engine.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { selectRows } from './object-rows.ts'
import type { Side } from './phase.ts'
import { recordPlaces } from './record-places.ts'

const PAGE = 500

/** Where records say where bytes are, and which column says so. */
const PLACES = [
  { table: 'files', column: 'physical', hasEtag: true },
  { table: 'trash', column: 'trashed', hasEtag: true },
  { table: 'journal', column: 'physical', hasEtag: false },
] as const

/**
 * Makes records say of the objects of this cut-over what holds on `side`, which is about to be alone: the version there, and no etag, since
 * theirs may be one of the other store. Else an audit over the one store would find each of them changed, and a delete name a version
 * that is not there. Run again, it changes nothing.
 *
 * Records of which it is known that they lie in another store stay as they are: what they have under the same key is another object. Of
 * those that never adopted what they met it is not known.
 */
export async function pointRecords(set: CutOverSet, side: Side, signal?: AbortSignal): Promise<void> {
  const places = await recordPlaces(set)
  const tenants: string[] = []
  for (const { id } of await listTenants(set.engine)) {
    if ((await tenantStatus(set.engine, id)).schemaVersion === 0) continue
    if (!places.isElsewhere(await metLocation(set.engine, id))) tenants.push(id)
  }
  for (let after = ''; ; ) {
    signal?.throwIfAborted()
    const rows = await selectRows(set, ['key > ? ORDER BY key LIMIT ?', after, BigInt(PAGE)])
    const last = rows.at(-1)
    if (last === undefined) return
    await set.write(
      tenants.flatMap(tenant => PLACES.map(place => pointed(set, side, tenant, place, after, last.key))),
    )
    after = last.key
  }
}

function pointed(
  { name }: CutOverSet,
  side: Side,
  tenant: string,
  { table, column, hasEtag }: (typeof PLACES)[number],
  after: string,
  last: string,
): Statement {
  const rows = tenantTable(tenant, table)
  return [
    `UPDATE ${rows} SET ${hasEtag ? 'store_etag = NULL, ' : ''}version_id = (SELECT o.${side}_version FROM ${OBJECTS} AS o WHERE o.name = ? AND o.key = ${rows}.${column}) WHERE ${column} IN (SELECT key FROM ${OBJECTS} WHERE name = ? AND key > ? AND key <= ?) AND (version_id IS NOT NULL${hasEtag ? ' OR store_etag IS NOT NULL' : ''} OR EXISTS (SELECT 1 FROM ${OBJECTS} AS v WHERE v.name = ? AND v.key = ${rows}.${column} AND v.${side}_version IS NOT NULL))`,
    name,
    name,
    after,
    last,
    name,
  ]
}
