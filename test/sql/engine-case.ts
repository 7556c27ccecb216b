import { expect } from 'vitest'
import type { ErrorCode } from '../../src/core/errors.ts'
import type { Engine, Row, SqlValue } from '../../src/sql/engine.ts'
import { hasCode } from '../support/has-code.ts'

export interface EngineUnderTest {
  readonly engine: Engine
  /** Another client on the same database. The cases close those they were given. */
  fresh(): Promise<Engine>
  /** Closes `engine` and whatever stands behind it. */
  close(): Promise<void>
}

export interface CaseContext extends Omit<EngineUnderTest, 'close'> {
  /** A name that no other case uses. */
  table(): string
}

export interface EngineCase {
  /** A sentence, by which an engine declares that it differs. */
  readonly title: string
  run(context: CaseContext): Promise<void>
}

/** Makes a table with a key and one value of the given type. */
export async function keyedTable(
  { engine, table }: Pick<CaseContext, 'engine' | 'table'>,
  type: keyof Engine['types'] = 'integer',
): Promise<string> {
  const name = table()
  const { types } = engine
  await engine.batch([[`CREATE TABLE ${name} (k ${types.text} PRIMARY KEY, v ${types[type]})`]])
  return name
}

/** What comes back where `value` was stored. */
export async function roundTrip(
  context: CaseContext,
  type: keyof Engine['types'],
  value: SqlValue,
): Promise<SqlValue | undefined> {
  const name = await keyedTable(context, type)
  await context.engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'key', value]])
  const [row] = await context.engine.query([`SELECT v FROM ${name}`])
  return row?.v
}

export async function keysIn(engine: Engine, name: string): Promise<SqlValue[]> {
  const rows = await engine.query([`SELECT k FROM ${name} ORDER BY k`], { consistency: 'linearizable' })
  return rows.map((row: Row) => row.k as SqlValue)
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(promise).rejects.toSatisfy(hasCode(code), `fails with ${code}`)
}
