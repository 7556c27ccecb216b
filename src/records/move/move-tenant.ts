/**
 * A tenant's records move from one database to another, the files stay where they are. From the first step on nobody can
 * write to the old tables, whatever has them open: they have other names. From the last one on the new ones are opened.
 */
import { isStorageError, StorageError } from '../../core/errors.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { Engine, Statement } from '../../sql/engine.ts'
import { checkMarker, readMarker } from '../marker.ts'
import { RecordSet } from '../record-set.ts'
import { assertTenantId, tenantTable } from '../tenant-id.ts'
import { existingTenant, findTenant, registerArriving, type Tenant } from '../tenants.ts'
import { prepareRegistry } from '../upgrade-tables.ts'
import { type CopyRecordsOptions, copyTenantRecords } from './copy-tenant-records.ts'
import { frozenName, type TenantTable, tablesOf } from './tenant-tables.ts'

export interface MoveOptions extends CopyRecordsOptions {
  /** Removes the old tables once the new ones are in use. Default: false, they stay under other names. */
  removeSource?: boolean
}

export interface MoveReport {
  readonly tenant: string
  /** The tenant's epoch in its new database: workers of the old one stop, collect waits for a confirmed audit. */
  readonly epoch: number
  /** Rows by table. Empty where an earlier call had moved them. */
  readonly rows: Readonly<Record<string, number>>
}

/**
 * Moves a tenant's records, journal and all, to another database. What is under way goes on there. A failure leaves the
 * tenant where it was; a process that is killed in the middle leaves it closed, and the same call goes on.
 *
 * Point the application to the new database when it has ended.
 *
 * @param files the store of its files: it is told the new epoch
 * @throws `not-found`; `conflict` where the new database has a tenant of this name or root already, or the files are
 *   another database's; what `copyTenantRecords` throws
 * @example
 * ```ts
 * await moveTenant(sqlite({ path: './records.db' }), rqlite({ url }), 'acme', s3({ bucket: 'files' }))
 * ```
 */
export async function moveTenant(
  from: Engine,
  to: Engine,
  id: string,
  files: StorageProvider,
  { removeSource = false, ...options }: MoveOptions = {},
): Promise<MoveReport> {
  assertTenantId(id)
  await Promise.all([prepareRegistry(from), prepareRegistry(to)])
  const source = await findTenant(from, id)
  if (source === undefined) throw refuse('not-found', `there is no tenant ${id}`)
  if (source.state === 'dropping' || source.state === 'arriving')
    throw refuse('conflict', `the tenant ${id} is ${source.state}; it can't be moved`)
  const target = await findTenant(to, id)
  assertFree(id, source, target)
  let rows: Record<string, number> = {}
  if (target?.state !== 'active') {
    if (source.state === 'active') await assertOwnFiles(from, id, files)
    await freeze(from, id)
    try {
      await receive(to, source, target)
      rows = await copyTenantRecords(from, to, id, options)
      await activate(from, to, id, files)
    } catch (error) {
      // Where it is unknown whether the new ones are open, the old ones stay closed: calling it again finds out.
      // What fails here, too, is told by what failed first.
      if (!isStorageError(error, 'pending')) await giveUp(from, to, id).catch(() => {})
      throw error
    }
  }
  const epoch = await checkMarker(recordSet(files, to, id))
  if (removeSource) await removeTables(from, id, [['DELETE FROM stowage_tenants WHERE id = ?', id]])
  return { tenant: id, epoch, rows }
}

function assertFree(id: string, source: Tenant, target: Tenant | undefined): void {
  if (target === undefined) return
  const same = target.recordSet === source.recordSet
  if (same && (target.state === 'moved' || target.state === 'arriving')) return
  // An earlier call has ended, but for telling so.
  if (same && target.state === 'active' && source.state === 'moved') return
  throw refuse('conflict', `the other database has a tenant ${id} already, and it is ${target.state}`)
}

async function assertOwnFiles(from: Engine, id: string, files: StorageProvider): Promise<void> {
  await checkMarker(recordSet(files, from, id))
}

/** One batch: the tenant is closed, and its tables have names that nobody uses. What was under way fails, and is in the journal. */
async function freeze(engine: Engine, id: string): Promise<void> {
  const tables = (await tablesOf(engine, id)).filter(table => table.name.startsWith('t_'))
  if (tables.length === 0) return
  await engine.batch(
    [
      ["UPDATE stowage_tenants SET state = 'moved' WHERE id = ?", id],
      ...tables.flatMap(table => renamed(table.name, frozenName(id, table.short))),
    ],
    { locks: ['stowage_registry'], durable: true },
  )
}

async function thaw(engine: Engine, id: string): Promise<void> {
  const tables = (await tablesOf(engine, id)).filter((table: TenantTable) => table.name.startsWith('m_'))
  await engine.batch(
    [
      ...tables.flatMap(table => renamed(table.name, tenantTable(id, table.short))),
      ["UPDATE stowage_tenants SET state = 'active' WHERE id = ?", id],
    ],
    { locks: ['stowage_registry'], durable: true },
  )
}

function renamed(from: string, to: string): Statement[] {
  return [
    [`ALTER TABLE ${from} RENAME TO ${to}`],
    ['UPDATE stowage_tables SET name = ? WHERE name = ?', to, from],
  ]
}

/** The tenant as it was, with empty tables and closed. What a move from here, or one that was killed, has left goes. */
async function receive(to: Engine, source: Tenant, target: Tenant | undefined): Promise<void> {
  const { id } = source
  if (target === undefined) await registerArriving(to, source)
  else await removeTables(to, id, [["UPDATE stowage_tenants SET state = 'arriving' WHERE id = ?", id]])
}

async function removeTables(engine: Engine, id: string, then: readonly Statement[]): Promise<void> {
  const tables = await tablesOf(engine, id)
  await engine.batch(
    [
      ...tables.map(({ name }): Statement => [`DROP TABLE IF EXISTS ${name}`]),
      ['DELETE FROM stowage_tables WHERE tenant = ?', id],
      ['DELETE FROM stowage_upgrades WHERE tenant = ?', id],
      ...then,
    ],
    { locks: ['stowage_registry'], durable: true },
  )
}

/** One batch: a new epoch, and the tenant is open. */
async function activate(from: Engine, to: Engine, id: string, files: StorageProvider): Promise<void> {
  const set = recordSet(files, to, id)
  const marker = await readMarker(set)
  const [row] = await from.query([`SELECT value FROM ${frozenName(id, 'settings')} WHERE name = 'epoch'`], {
    consistency: 'linearizable',
  })
  const epoch = Math.max(Number(row?.value ?? 1), marker?.epoch ?? 0) + 1
  await to.batch(
    [
      [`UPDATE ${set.table('settings')} SET value = ? WHERE name = 'epoch'`, String(epoch)],
      ["UPDATE stowage_tenants SET state = 'active' WHERE id = ?", id],
    ],
    { durable: true },
  )
}

async function giveUp(from: Engine, to: Engine, id: string): Promise<void> {
  const target = await findTenant(to, id)
  if (target?.state === 'active') return
  if (target?.state === 'arriving')
    await removeTables(to, id, [['DELETE FROM stowage_tenants WHERE id = ?', id]])
  await thaw(from, id)
}

function recordSet(files: StorageProvider, engine: Engine, tenant: string): RecordSet {
  return new RecordSet(files, engine, { tenant }, () => existingTenant(engine, tenant))
}

function refuse(code: 'conflict' | 'not-found', problem: string): StorageError {
  return new StorageError(code, `move: ${problem}`, { operation: 'move', retryable: false })
}
