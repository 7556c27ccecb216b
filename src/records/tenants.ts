import { isStorageError, StorageError } from '../core/errors.ts'
import type { Engine, Row, Statement } from '../sql/engine.ts'
import { idFactory } from './new-id.ts'
import { NAMESPACE, UPGRADES } from './schema.ts'
import { assertTenantId, tenantTable } from './tenant-id.ts'
import { prepareRegistry, schemaVersion, upgradeTables } from './upgrade-tables.ts'

export interface Tenant {
  readonly id: string
  /** Where its objects lie in the bucket; `''` where it owns all of it. */
  readonly root: string
  /** Identity of the record set, also written into the bucket: two databases never take one root for theirs. */
  readonly recordSet: string
  readonly state: TenantState
  readonly createdAt: Date
}

/** `arriving`: its records are being copied here from another database. `moved`: they are in another one now. */
export type TenantState = 'active' | 'dropping' | 'arriving' | 'moved'

export interface TenantStatus extends Tenant {
  /** Of the library's tables. */
  readonly schemaVersion: number
  /** What this version of the library knows. */
  readonly latestVersion: number
}

export interface TenantOptions {
  /** The beginning of its keys in the bucket, ending in a slash. Default: `<id>/`. `''`: the whole bucket. */
  root?: string
  now?: () => number
  /** Makes the record set's identity. Default: a ULID. */
  newId?: () => string
}

/** Why a tenant can't be opened. */
const CLOSED: Readonly<Record<Exclude<TenantState, 'active'>, string>> = {
  dropping: 'is being dropped',
  arriving: 'is being moved here; open it when that has ended',
  moved: 'was moved to another database; open it there',
}

const COLUMNS = 'id, root, record_set, state, created_at'

/**
 * Makes the tenant with its tables, or brings an existing one's tables up to date. Safe to call from many processes at
 * once.
 *
 * @throws `conflict` where the root overlaps another tenant's, or the tenant exists with another root
 */
export async function createTenant(engine: Engine, id: string, options: TenantOptions = {}): Promise<Tenant> {
  assertTenantId(id)
  const root = options.root ?? `${id}/`
  assertRoot(root)
  const now = options.now ?? Date.now
  await prepareRegistry(engine)
  const known = await findTenant(engine, id)
  const tenant = known ?? (await registerTenant(engine, id, root, options.newId ?? idFactory(now), now()))
  if (tenant.root !== root && options.root !== undefined)
    throw refuse(
      `the tenant ${id} keeps its files under ${JSON.stringify(tenant.root)}; open it with that root`,
    )
  if (tenant.state !== 'active') throw refuse(`the tenant ${id} ${CLOSED[tenant.state]}`)
  await upgradeTables(engine, id, NAMESPACE, UPGRADES, now)
  return tenant
}

async function registerTenant(
  engine: Engine,
  id: string,
  root: string,
  newId: () => string,
  at: number,
  state: TenantState = 'active',
): Promise<Tenant> {
  const free =
    "NOT EXISTS (SELECT 1 FROM stowage_tenants WHERE root = '' OR ? = '' OR substr(root, 1, length(?)) = ? OR substr(?, 1, length(root)) = root)"
  const insert: Statement = [
    `INSERT INTO stowage_tenants (${COLUMNS}) SELECT ?, ?, ?, ?, ? WHERE ${free}`,
    id,
    root,
    newId(),
    state,
    BigInt(at),
    root,
    root,
    root,
    root,
  ]
  await engine.batch([insert], { locks: ['stowage_registry'], durable: true }).catch(error => {
    // Another process was first, or the answer was lost: what is there says.
    if (!isStorageError(error, 'conflict', 'pending')) throw error
  })
  const made = await findTenant(engine, id)
  if (made !== undefined) return made
  throw refuse(
    `the root ${JSON.stringify(root)} lies within another tenant's, or another's within it; each tenant needs a root of its own`,
  )
}

/** The tenant of another database, closed until its records are here. @throws `conflict` where its root is taken */
export async function registerArriving(engine: Engine, { id, root, recordSet, createdAt }: Tenant) {
  await registerTenant(engine, id, root, () => recordSet, createdAt.getTime(), 'arriving')
}

export async function findTenant(engine: Engine, id: string): Promise<Tenant | undefined> {
  const [row] = await engine.query([`SELECT ${COLUMNS} FROM stowage_tenants WHERE id = ?`, id], {
    consistency: 'linearizable',
  })
  return row && tenantFrom(row)
}

/** All tenants of a database, by id. */
export async function listTenants(engine: Engine): Promise<Tenant[]> {
  await prepareRegistry(engine)
  const rows = await engine.query([`SELECT ${COLUMNS} FROM stowage_tenants ORDER BY id`])
  return rows.map(tenantFrom)
}

/** @throws `not-found` */
export async function tenantStatus(engine: Engine, id: string): Promise<TenantStatus> {
  assertTenantId(id)
  await prepareRegistry(engine)
  const tenant = await findTenant(engine, id)
  if (tenant === undefined) throw new StorageError('not-found', `there is no tenant ${id}`)
  return {
    ...tenant,
    schemaVersion: await schemaVersion(engine, id, NAMESPACE),
    latestVersion: UPGRADES.length,
  }
}

/**
 * The tenant as it is, its tables brought up to date, also while it is being dropped. Creates none.
 *
 * @throws `not-found`
 */
export async function existingTenant(engine: Engine, id: string, now = Date.now): Promise<Tenant> {
  assertTenantId(id)
  await prepareRegistry(engine)
  const tenant = await findTenant(engine, id)
  if (tenant === undefined) throw new StorageError('not-found', `there is no tenant ${id}`)
  if (tenant.state === 'moved') throw refuse(`the tenant ${id} ${CLOSED.moved}`)
  await upgradeTables(engine, id, NAMESPACE, UPGRADES, now)
  return tenant
}

/**
 * Removes all the tenant's tables, the application's included, and the tenant. Returns false, and changes nothing, where
 * a file or a job is left.
 */
export async function removeTenant(engine: Engine, id: string): Promise<boolean> {
  assertTenantId(id)
  const tables = await engine.query(['SELECT name FROM stowage_tables WHERE tenant = ? ORDER BY name', id], {
    consistency: 'linearizable',
  })
  const [files, journal] = [tenantTable(id, 'files'), tenantTable(id, 'journal')]
  // Elsewhere nothing runs beside a batch; here a writer's row must be seen, or come too late.
  const lock: Statement[] =
    engine.name === 'postgres' ? [[`LOCK TABLE ${files}, ${journal} IN ACCESS EXCLUSIVE MODE`]] : []
  try {
    await engine.batch(
      [
        ...lock,
        // NULL is refused, and with it all that follows.
        [
          `UPDATE stowage_tenants SET state = NULL WHERE id = ? AND (EXISTS (SELECT 1 FROM ${files}) OR EXISTS (SELECT 1 FROM ${journal}))`,
          id,
        ],
        ...tables.map((row): Statement => [`DROP TABLE IF EXISTS ${String(row.name)}`]),
        ['DELETE FROM stowage_tables WHERE tenant = ?', id],
        ['DELETE FROM stowage_upgrades WHERE tenant = ?', id],
        ['DELETE FROM stowage_tenants WHERE id = ?', id],
      ],
      { locks: ['stowage_registry'], durable: true },
    )
    return true
  } catch (error) {
    if (isStorageError(error, 'conflict')) return false
    // The answer was lost: whether the tenant is there says what happened.
    if (isStorageError(error, 'pending') && (await findTenant(engine, id)) === undefined) return true
    throw error
  }
}

export async function markDropping(engine: Engine, id: string): Promise<void> {
  await engine.batch([["UPDATE stowage_tenants SET state = 'dropping' WHERE id = ?", id]], { durable: true })
}

function tenantFrom(row: Row): Tenant {
  return {
    id: String(row.id),
    root: String(row.root),
    recordSet: String(row.record_set),
    state: String(row.state) as TenantState,
    createdAt: new Date(Number(row.created_at)),
  }
}

function assertRoot(root: string): void {
  if (
    root === '' ||
    (typeof root === 'string' && root.endsWith('/') && !root.startsWith('/') && root.length <= 200)
  )
    return
  throw new StorageError(
    'invalid-argument',
    "a root is '' or the beginning of keys that ends in a slash, as acme/",
  )
}

function refuse(problem: string): StorageError {
  return new StorageError('conflict', problem, { retryable: false })
}
