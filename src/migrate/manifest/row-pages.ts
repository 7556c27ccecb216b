import type { Engine, SqlValue, Statement } from '../../sql/engine.ts'
import type { DestinationOrder, ManifestRow, RowRange, RowsOptions } from '../manifest.ts'
import { OBJECTS } from './manifest-tables.ts'
import { COLUMNS, rowsFrom, wholeRow } from './row-columns.ts'

const PAGE = 1000

/** Pages of rows in the order of their source keys: each begins behind the last key of the one before. */
export async function* rowPages(
  engine: Engine,
  migration: bigint,
  options: RowsOptions = {},
): AsyncGenerator<readonly ManifestRow[]> {
  for (let { after } = options; ; ) {
    const rows = rowsFrom(await engine.query(pageStatement(engine, migration, { ...options, after })))
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    after = rows.at(-1)!.sourceKey
  }
}

function pageStatement(engine: Engine, migration: bigint, options: RowsOptions): Statement {
  const [where, ...parameters] = rowsWhere(migration, options)
  return [
    `SELECT ${wholeRow(engine)} FROM ${OBJECTS} WHERE ${where} ORDER BY source_key LIMIT ${PAGE}`,
    ...parameters,
  ]
}

/** The same by destination key or place. Rows that share it, as a collision has them, are told one after the other. */
export async function* rowPagesByDestination(
  engine: Engine,
  migration: bigint,
  { states, by = 'destinationKey' }: DestinationOrder = {},
): AsyncGenerator<readonly ManifestRow[]> {
  const [where, ...parameters] = rowsWhere(migration, { states })
  const { name } = COLUMNS[by]
  let last: ManifestRow | undefined
  for (;;) {
    const behind = last === undefined ? `${name} > ?` : `(${name}, source_key) > (?, ?)`
    const found = await engine.query([
      `SELECT ${wholeRow(engine)} FROM ${OBJECTS} WHERE ${where} AND ${behind} ORDER BY ${name}, source_key LIMIT ${PAGE}`,
      ...parameters,
      ...(last === undefined ? [''] : [last[by]!, last.sourceKey]),
    ])
    const rows = rowsFrom(found)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    last = rows.at(-1)!
  }
}

/** Conditions for WHERE, with their parameters. */
export function rowsWhere(
  migration: bigint,
  { after, through, states, statuses }: RowsOptions & RowRange,
): [where: string, ...parameters: SqlValue[]] {
  let where = 'migration = ?'
  const parameters: SqlValue[] = [migration]
  const add = (condition: string, ...values: readonly string[]) => {
    where += ` AND ${condition}`
    parameters.push(...values)
  }
  if (after !== undefined) add('source_key > ?', after)
  if (through !== undefined) add('source_key <= ?', through)
  if (states !== undefined) add(isOneOf('state', states), ...states)
  // Said in the words of the index of open rows, which then answers.
  if (states !== undefined && !states.includes('copied')) add("state <> 'copied'")
  if (statuses !== undefined) add(isOneOf('status', statuses), ...statuses)
  return [where, ...parameters]
}

function isOneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? '1 = 0' : `${column} IN (${values.map(() => '?').join(', ')})`
}
