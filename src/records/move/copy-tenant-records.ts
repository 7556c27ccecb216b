import { StorageError } from '../../core/errors.ts'
import type { Engine, Row, Statement } from '../../sql/engine.ts'
import { idFactory } from '../new-id.ts'
import { NAMESPACE, UPGRADES } from '../schema.ts'
import { tenantTable } from '../tenant-id.ts'
import { schemaVersion, type Upgrade, upgradeTables } from '../upgrade-tables.ts'
import { sumOf } from './row-checksum.ts'
import { pagesOf, quoted, type TenantTable, tablesOf } from './tenant-tables.ts'

export interface CopyRecordsOptions {
  /**
   * How to make the application's tables, by namespace, where the two engines have other types: `{ app: MAILS }`.
   * Between SQLite and rqlite they are made as they are.
   */
  upgrades?: Readonly<Record<string, readonly Upgrade[]>>
  /** Told after each table. */
  onTable?: (table: { readonly name: string; readonly rows: number }) => void
  signal?: AbortSignal
}

/**
 * Copies all rows of a tenant's tables, the application's included, into another database that knows the tenant and holds
 * nothing of it, and then reads both sides again and compares them, values and types. Nobody may write meanwhile.
 * `moveTenant` sees to all of that.
 *
 * @returns rows by table, as it is called there
 * @throws `unsupported` for tables of an application between engines with other types, without their upgrades;
 *   `invalid-argument` for a value that the other engine can't hold; `checksum-mismatch` where the sides differ
 */
export async function copyTenantRecords(
  from: Engine,
  to: Engine,
  tenant: string,
  { upgrades = {}, onTable, signal }: CopyRecordsOptions = {},
): Promise<Record<string, number>> {
  const newId = idFactory()
  const tables = await tablesOf(from, tenant)
  await makeTables(from, to, tenant, tables, upgrades)
  const counts: Record<string, number> = {}
  for (const table of tables) {
    const target = tenantTable(tenant, table.short)
    await to.batch([[`DELETE FROM ${target}`]])
    for await (const page of pagesOf(from, table.name)) {
      signal?.throwIfAborted()
      await to.batch(
        page.map(row => insert(target, row)),
        { id: `move:${newId()}`, durable: true },
      )
    }
    const [source, copy] = [await sumOf(from, table.name), await sumOf(to, target)]
    if (source.sum !== copy.sum || source.rows !== copy.rows)
      throw new StorageError(
        'checksum-mismatch',
        `move: ${target} holds ${copy.rows} rows and ${table.name} ${source.rows}, or values that differ; does somebody still write?`,
        { operation: 'move', retryable: true },
      )
    counts[target] = copy.rows
    onTable?.({ name: target, rows: copy.rows })
  }
  return counts
}

function insert(table: string, row: Row): Statement {
  const names = Object.keys(row)
  return [
    `INSERT INTO ${table} (${names.map(quoted).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    ...names.map(name => row[name]!),
  ]
}

async function makeTables(
  from: Engine,
  to: Engine,
  tenant: string,
  tables: readonly TenantTable[],
  upgrades: Readonly<Record<string, readonly Upgrade[]>>,
): Promise<void> {
  const newer = await schemaVersion(from, tenant, NAMESPACE)
  if (newer > UPGRADES.length)
    throw new StorageError(
      'unsupported',
      `move: the tables of ${tenant} are of schema ${newer}, this version knows ${UPGRADES.length}; use a newer one`,
      { operation: 'move' },
    )
  await upgradeTables(to, tenant, NAMESPACE, UPGRADES)
  const there = new Set((await tablesOf(to, tenant)).map(table => table.name))
  const namespaces = new Set(tables.map(table => table.namespace))
  namespaces.delete(NAMESPACE)
  for (const namespace of namespaces) {
    const missing = tables.filter(
      table => table.namespace === namespace && !there.has(tenantTable(tenant, table.short)),
    )
    if (missing.length === 0) continue
    const steps = upgrades[namespace]
    const version = await schemaVersion(from, tenant, namespace)
    if (steps !== undefined) await upgradeTables(to, tenant, namespace, steps.slice(0, version))
    else if (from.name !== 'postgres' && to.name !== 'postgres')
      await copySchema(from, to, tenant, namespace, missing)
    else
      throw new StorageError(
        'unsupported',
        `move: the tables of ${JSON.stringify(namespace)} need other types on ${to.name}; give their upgrades`,
        { operation: 'move' },
      )
  }
}

/** SQLite and rqlite speak one SQL: what made the table there makes it here. */
async function copySchema(
  from: Engine,
  to: Engine,
  tenant: string,
  namespace: string,
  tables: readonly TenantTable[],
): Promise<void> {
  const made: Statement[] = []
  for (const { name, short } of tables) {
    const target = tenantTable(tenant, short)
    const rows = await from.query([
      "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name",
      name,
    ])
    // A table that was renamed is quoted from then on.
    const renamed = new RegExp(`"?\\b${name}\\b"?`, 'g')
    made.push(...rows.map((row): Statement => [String(row.sql).replace(renamed, target)]), [
      'INSERT INTO stowage_tables (name, tenant, namespace) VALUES (?, ?, ?)',
      target,
      tenant,
      namespace,
    ])
  }
  const versions = await from.query([
    'SELECT version, at FROM stowage_upgrades WHERE tenant = ? AND namespace = ? ORDER BY version',
    tenant,
    namespace,
  ])
  for (const { version, at } of versions)
    made.push([
      'INSERT INTO stowage_upgrades (tenant, namespace, version, at) VALUES (?, ?, ?, ?)',
      tenant,
      namespace,
      version!,
      at!,
    ])
  await to.batch(made, { locks: ['stowage_registry'], durable: true })
}
