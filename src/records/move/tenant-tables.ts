/** A tenant's tables as the registry knows them, whichever engine holds them. */
import { StorageError } from '../../core/errors.ts'
import type { Engine, Row, SqlValue, Statement } from '../../sql/engine.ts'
import { tenantTable } from '../tenant-id.ts'

export interface TenantTable {
  /** As it is called now: `t_acme__files`, or `m_acme__files` while it is moved. */
  readonly name: string
  /** `files`. */
  readonly short: string
  readonly namespace: string
}

/** What a table is called while nobody may write to it. As long as its own name, which PostgreSQL may have no longer. */
export const frozenName = (tenant: string, short: string) => `m_${tenantTable(tenant, short).slice(2)}`

export async function tablesOf(engine: Engine, tenant: string): Promise<TenantTable[]> {
  const rows = await engine.query(
    ['SELECT name, namespace FROM stowage_tables WHERE tenant = ? ORDER BY name', tenant],
    { consistency: 'linearizable' },
  )
  return rows.map(row => {
    const name = String(row.name)
    return { name, short: name.slice(`t_${tenant}__`.length), namespace: String(row.namespace) }
  })
}

const PAGE = 100

interface Shape {
  readonly columns: readonly string[]
  /** What pages are cut by: never NULL, never twice. */
  readonly order: readonly string[]
}

/** All rows of a table in pages, by its key. The values are as they are stored. */
export async function* pagesOf(engine: Engine, table: string): AsyncGenerator<readonly Row[]> {
  const { columns, order } = await shapeOf(engine, table)
  const keys = order.map((expression, index) => `${expression} AS stowage_key_${index}`)
  const selected = [...columns.map(quoted), ...keys].join(', ')
  let after: SqlValue[] | undefined
  for (;;) {
    const where =
      after === undefined ? '' : ` WHERE (${order.join(', ')}) > (${order.map(() => '?').join(', ')})`
    const statement: Statement = [
      `SELECT ${selected} FROM ${table}${where} ORDER BY ${order.join(', ')} LIMIT ${PAGE}`,
      ...(after ?? []),
    ]
    const rows = await engine.query(statement, { consistency: 'linearizable' })
    if (rows.length === 0) return
    after = order.map((_, index) => rows.at(-1)![`stowage_key_${index}`] as SqlValue)
    yield rows.map(row => Object.fromEntries(columns.map(name => [name, row[name] as SqlValue])))
  }
}

async function shapeOf(engine: Engine, table: string): Promise<Shape> {
  return engine.name === 'postgres' ? postgresShape(engine, table) : sqliteShape(engine, table)
}

async function sqliteShape(engine: Engine, table: string): Promise<Shape> {
  const rows = await engine.query([
    `SELECT name, pk FROM pragma_table_xinfo('${table}') WHERE hidden = 0 ORDER BY cid`,
  ])
  const columns = rows.map(row => String(row.name))
  const [list] = await engine.query([`SELECT wr FROM pragma_table_list('${table}') WHERE schema = 'main'`])
  if (Number(list?.wr ?? 0) === 0) return { columns, order: ['_rowid_'] }
  const key = rows.filter(row => Number(row.pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
  return { columns, order: key.map(row => quoted(String(row.name))) }
}

async function postgresShape(engine: Engine, table: string): Promise<Shape> {
  const columns = await engine.query([
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = CAST(CAST(? AS text) AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum',
    table,
  ])
  const key = await engine.query([
    'SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = CAST(CAST(? AS text) AS regclass) AND i.indisprimary ORDER BY array_position(CAST(i.indkey AS int2[]), a.attnum)',
    table,
  ])
  if (key.length === 0)
    throw new StorageError('unsupported', `move: the table ${table} has no primary key to read it by`, {
      operation: 'move',
    })
  return {
    columns: columns.map(row => String(row.name)),
    order: key.map(row => quoted(String(row.name))),
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
