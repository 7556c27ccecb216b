import { isStorageError, StorageError } from '../core/errors.ts'
import type { ColumnTypes, Engine, Statement } from '../sql/engine.ts'
import { idFactory } from './new-id.ts'
import { assertTenantId, tenantTable } from './tenant-id.ts'

/**
 * One step of a schema. Steps only ever add (tables, indexes, columns that may be NULL or have a default), so that an
 * application that knows one step less still works while others have been started with the next.
 */
export interface Upgrade {
  /** 1, 2, 3, … without gaps. */
  readonly version: number
  /** Tables that this step creates, by their short names: they are dropped with the tenant. */
  readonly creates?: readonly string[]
  /** The statements. `table('mails')` is the tenant's own name for it, `t_acme__mails`. */
  statements(context: UpgradeContext): readonly string[]
}

export interface UpgradeContext {
  table(name: string): string
  readonly types: ColumnTypes
}

const REGISTRY = (types: ColumnTypes): Statement[] => [
  [
    `CREATE TABLE IF NOT EXISTS stowage_tenants (id ${types.text} PRIMARY KEY, root ${types.text} NOT NULL UNIQUE, record_set ${types.text} NOT NULL, state ${types.text} NOT NULL, created_at ${types.integer} NOT NULL)`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS stowage_upgrades (tenant ${types.text} NOT NULL, namespace ${types.text} NOT NULL, version ${types.integer} NOT NULL, at ${types.integer} NOT NULL, PRIMARY KEY (tenant, namespace, version))`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS stowage_tables (name ${types.text} PRIMARY KEY, tenant ${types.text} NOT NULL, namespace ${types.text} NOT NULL)`,
  ],
]

const prepared = new WeakMap<Engine, Promise<void>>()

/** Creates the tables that know all tenants, once per engine. */
export function prepareRegistry(engine: Engine): Promise<void> {
  const known = prepared.get(engine)
  if (known !== undefined) return known
  const made = engine
    .batch(REGISTRY(engine.types), { id: idFactory()(), locks: ['stowage_registry'], durable: true })
    .then(() => {})
  prepared.set(engine, made)
  made.catch(() => prepared.delete(engine))
  return made
}

/** The schema's version of one tenant: 0 where nothing has been created. */
export async function schemaVersion(engine: Engine, tenant: string, namespace: string): Promise<number> {
  const [row] = await engine.query(
    [
      'SELECT COALESCE(MAX(version), 0) AS version FROM stowage_upgrades WHERE tenant = ? AND namespace = ?',
      tenant,
      namespace,
    ],
    { consistency: 'linearizable' },
  )
  return Number(row!.version)
}

/**
 * Brings a tenant's tables to the last of `upgrades`, each step in a batch of its own: a step that fails leaves the
 * tenant at the step before, and other tenants untouched. However many processes start at once, each step runs once:
 * its version is a row that only one batch can insert. A schema that is newer than `upgrades` is left alone.
 *
 * @param namespace whose tables these are: `app`, or a name of your own; `stowage` is the library's
 * @returns the version the tenant has now
 * @throws `invalid-argument` for versions with gaps; what the engine throws for a statement, with the step's version
 *
 * @example
 * ```ts
 * await upgradeTables(engine, 'acme', 'app', [
 *   { version: 1, creates: ['mails'], statements: ({ table, types }) => [
 *     `CREATE TABLE ${table('mails')} (id ${types.text} PRIMARY KEY, raw ${types.blob} NOT NULL)`,
 *   ] },
 * ])
 * ```
 */
export async function upgradeTables(
  engine: Engine,
  tenant: string,
  namespace: string,
  upgrades: readonly Upgrade[],
  now: () => number = Date.now,
): Promise<number> {
  assertTenantId(tenant)
  assertUpgrades(upgrades)
  await prepareRegistry(engine)
  for (;;) {
    const version = await schemaVersion(engine, tenant, namespace)
    const next = upgrades[version]
    if (next === undefined) return version
    await runUpgrade(engine, tenant, namespace, next, now())
  }
}

async function runUpgrade(engine: Engine, tenant: string, namespace: string, upgrade: Upgrade, at: number) {
  const { version, creates = [] } = upgrade
  const context = { types: engine.types, table: (name: string) => tenantTable(tenant, name) }
  const statements: Statement[] = [
    [
      'INSERT INTO stowage_upgrades (tenant, namespace, version, at) VALUES (?, ?, ?, ?)',
      tenant,
      namespace,
      BigInt(version),
      BigInt(at),
    ],
    ...creates.map(
      (name): Statement => [
        'INSERT INTO stowage_tables (name, tenant, namespace) VALUES (?, ?, ?)',
        context.table(name),
        tenant,
        namespace,
      ],
    ),
    ...upgrade.statements(context).map((sql): Statement => [sql]),
  ]
  try {
    await engine.batch(statements, { locks: [`stowage_upgrade:${tenant}:${namespace}`], durable: true })
  } catch (error) {
    // Another process has run this step, or our own answer was lost: the version says whether it is there.
    if (isStorageError(error, 'conflict', 'pending', 'unavailable', 'timeout')) {
      if ((await schemaVersion(engine, tenant, namespace)) >= version) return
      if (isStorageError(error, 'pending')) return
    }
    throw stepFailed(error, tenant, namespace, version)
  }
}

function stepFailed(error: unknown, tenant: string, namespace: string, version: number): StorageError {
  const known = isStorageError(error) ? error : undefined
  return new StorageError(
    known?.code ?? 'internal',
    `upgrade: step ${version} of ${namespace} for the tenant ${tenant} failed; the tenant stays at ${version - 1}: ${(error as Error).message}`,
    { operation: 'upgrade', cause: error, retryable: known?.retryable },
  )
}

function assertUpgrades(upgrades: readonly Upgrade[]): void {
  upgrades.forEach(({ version }, index) => {
    if (version === index + 1) return
    throw new StorageError('invalid-argument', 'upgrade: versions are 1, 2, 3, … in order and without gaps')
  })
}
