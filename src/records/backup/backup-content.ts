import { StorageError } from '../../core/errors.ts'
import type { Engine, Row } from '../../sql/engine.ts'
import { tenantTable } from '../tenant-id.ts'

/** What a database holds, as far as it must be the same after a backup was read back or restored. */
export interface BackupContent {
  readonly tenants: readonly BackupTenant[]
  /** Rows of every table, the application's own included. */
  readonly rows: Readonly<Record<string, number>>
}

export interface BackupTenant {
  readonly id: string
  readonly root: string
  readonly recordSet: string
  readonly epoch: number
  readonly files: number
  /** Jobs that were under way or owed. */
  readonly jobs: number
}

/** Counted anew by each process that writes: nobody misses it. */
const NOT_COUNTED = 'stowage_operations'

/** Looks into a database. @throws `checksum-mismatch` where it is damaged */
export async function readContent(engine: Engine): Promise<BackupContent> {
  const [first] = await engine.query(['SELECT integrity_check AS said FROM pragma_integrity_check LIMIT 1'])
  if (first?.said !== 'ok')
    throw new StorageError('checksum-mismatch', `the database is damaged: ${String(first?.said)}`, {
      retryable: false,
    })
  return countContent(engine)
}

/** The same without looking at each page. */
export async function countContent(engine: Engine): Promise<BackupContent> {
  const rows: Record<string, number> = {}
  for (const name of await tableNames(engine)) {
    if (name === NOT_COUNTED) continue
    const [row] = await engine.query([`SELECT COUNT(*) AS n FROM "${name.replaceAll('"', '""')}"`])
    rows[name] = Number(row!.n)
  }
  if (!('stowage_tenants' in rows)) return { tenants: [], rows }
  const tenants: BackupTenant[] = []
  for (const row of await engine.query(['SELECT id, root, record_set FROM stowage_tenants ORDER BY id']))
    tenants.push(await tenantContent(engine, row, rows))
  return { tenants, rows }
}

export async function tableNames(engine: Engine): Promise<string[]> {
  const rows = await engine.query([
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name",
  ])
  return rows.map(row => String(row.name))
}

async function tenantContent(
  engine: Engine,
  row: Row,
  rows: Readonly<Record<string, number>>,
): Promise<BackupTenant> {
  const id = String(row.id)
  const settings = tenantTable(id, 'settings')
  const [epoch] =
    settings in rows ? await engine.query([`SELECT value FROM ${settings} WHERE name = 'epoch'`]) : []
  return {
    id,
    root: String(row.root),
    recordSet: String(row.record_set),
    epoch: Number(epoch?.value ?? 1),
    files: rows[tenantTable(id, 'files')] ?? 0,
    jobs: rows[tenantTable(id, 'journal')] ?? 0,
  }
}
