/** An id makes a batch happen once; a condition lets it happen or not; the outcome can be asked for. */
import { expect } from 'vitest'
import { type BatchOptions, type Engine, HELD, type Statement } from '../../src/sql/engine.ts'
import { type CaseContext, type EngineCase, expectCode, keyedTable, keysIn } from './engine-case.ts'

const GUARDS = ['abort', 'data'] as const satisfies BatchOptions['guard'][]

/** An insert that is right under either guard. */
function insertHeld(table: string, key: string, id: string): Statement {
  return [`INSERT INTO ${table} (k, v) SELECT ?, ? WHERE ${HELD}`, key, 1n, id]
}

function bothGuards(
  title: string,
  run: (context: CaseContext, guard: (typeof GUARDS)[number]) => Promise<void>,
): EngineCase[] {
  return GUARDS.map(guard => ({ title: `${title} (guard ${guard})`, run: context => run(context, guard) }))
}

export const OPERATION_CASES: readonly EngineCase[] = [
  ...bothGuards('does nothing for an id that it has seen', async (context, guard) => {
    const { engine } = context
    const name = await keyedTable(context)
    const id = `${name}-once`
    const first = await engine.batch([insertHeld(name, 'first', id)], { id, guard })
    expect(first).toEqual({ applied: true, results: [{ changes: 1, rows: [] }] })
    expect(await engine.batch([insertHeld(name, 'second', id)], { id, guard })).toEqual({
      applied: true,
      results: undefined,
    })
    expect(await keysIn(engine, name)).toEqual(['first'])
    expect(await engine.outcome(id)).toBe(true)
  }),
  ...bothGuards('happens where its condition gives a row', async (context, guard) => {
    const { engine } = context
    const name = await keyedTable(context)
    const id = `${name}-held`
    await engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'given', 5n]])
    const condition: Statement = [`SELECT k FROM ${name} WHERE k = ? AND v = ?`, 'given', 5n]
    const { applied, results } = await engine.batch([insertHeld(name, 'new', id)], { id, guard, condition })
    expect(applied).toBe(true)
    expect(results?.[0]?.changes).toBe(1)
    expect(await keysIn(engine, name)).toEqual(['given', 'new'])
  }),
  ...bothGuards('does nothing where its condition gives no row', async (context, guard) => {
    const { engine } = context
    const name = await keyedTable(context)
    const id = `${name}-refused`
    const condition: Statement = [`SELECT k FROM ${name} WHERE k = ?`, 'absent']
    const { applied } = await engine.batch([insertHeld(name, 'new', id)], { id, guard, condition })
    expect(applied).toBe(false)
    expect(await keysIn(engine, name)).toEqual([])
    // `abort` leaves nothing behind, `data` the refusal.
    expect(await engine.outcome(id)).toBe(guard === 'data' ? false : undefined)
  }),
  ...bothGuards('undoes its id with a batch that fails', async (context, guard) => {
    const { engine } = context
    const name = await keyedTable(context)
    const id = `${name}-failed`
    const twice = [insertHeld(name, 'a', id), insertHeld(name, 'a', id)]
    await expectCode(engine.batch(twice, { id, guard }), 'conflict')
    expect(await engine.outcome(id)).toBe(undefined)
    expect((await engine.batch([insertHeld(name, 'a', id)], { id, guard })).applied).toBe(true)
    expect(await keysIn(engine, name)).toEqual(['a'])
    expect(await engine.outcome(id)).toBe(true)
  }),
  ...bothGuards('happens once when several clients send the same id at once', async (context, guard) => {
    const name = await keyedTable(context)
    const id = `${name}-many`
    const clients = await Promise.all([1, 2, 3, 4].map(() => context.fresh()))
    const answers = await Promise.all(
      clients.flatMap((client, index) =>
        [0, 1].map(twice => client.batch([insertHeld(name, `k${index}${twice}`, id)], { id, guard })),
      ),
    )
    expect(answers.map(answer => answer.applied)).toEqual(answers.map(() => true))
    expect(answers.filter(answer => answer.results !== undefined).length).toBeLessThanOrEqual(1)
    expect(await keysIn(context.engine, name)).toHaveLength(1)
    for (const client of clients) await client.close()
  }),
  ...bothGuards('counts to fifty with five clients that compare and set', async (context, guard) => {
    const name = await keyedTable(context)
    await context.engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'counter', 0n]])
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => context.fresh()))
    await Promise.all(clients.map((client, index) => countTo(10, client, name, guard, index)))
    expect(await context.engine.query([`SELECT v FROM ${name}`], { consistency: 'linearizable' })).toEqual([
      { v: 50n },
    ])
    for (const client of clients) await client.close()
  }),
  {
    title: 'keeps statements without HELD from happening under abort',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const condition: Statement = [`SELECT k FROM ${name} WHERE k = ?`, 'absent']
      const bare: Statement = [`INSERT INTO ${name} (k) VALUES (?)`, 'bare']
      expect((await engine.batch([bare], { id: `${name}-bare`, condition })).applied).toBe(false)
      expect(await keysIn(engine, name)).toEqual([])
    },
  },
  {
    title: 'holds nothing outside the batch',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const id = `${name}-outside`
      await engine.batch([insertHeld(name, 'inside', id)], { id })
      const { results } = await engine.batch([insertHeld(name, 'outside', id)])
      expect(results?.[0]?.changes).toBe(0)
      expect(await keysIn(engine, name)).toEqual(['inside'])
    },
  },
  {
    title: 'has not seen an id that nobody sent',
    run: async ({ engine, fresh, table }) => {
      const id = `${table()}-nobody`
      expect(await engine.outcome(id)).toBe(undefined)
      const other = await fresh()
      expect(await other.outcome(id, { timeoutMs: 30_000 })).toBe(undefined)
      await other.close()
    },
  },
  {
    title: 'keeps ids apart that differ by a quote, a case or a letter',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const ids = [`${name}'a`, `${name}"a`, `${name}a`, `${name}A`, `${name}é`, `${name}😀`, `${name}%`]
      for (const id of ids) {
        expect(await engine.outcome(id)).toBe(undefined)
        await engine.batch([insertHeld(name, id, id)], { id })
      }
      expect(await keysIn(engine, name)).toHaveLength(ids.length)
    },
  },
  {
    title: 'forgets ids that ended before a time, and no others',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const id = `${name}-forgotten`
      await engine.batch([insertHeld(name, 'a', id)], { id })
      expect(await engine.forget(0)).toBe(0)
      expect(await engine.outcome(id)).toBe(true)
      expect(await engine.forget(8_640_000_000_000_000)).toBeGreaterThanOrEqual(1)
      expect(await engine.outcome(id)).toBe(undefined)
    },
  },
]

async function countTo(
  times: number,
  client: Engine,
  name: string,
  guard: (typeof GUARDS)[number],
  who: number,
): Promise<void> {
  let done = 0
  for (let attempt = 0; done < times; attempt++) {
    const [row] = await client.query([`SELECT v FROM ${name}`], { consistency: 'linearizable' })
    const seen = row?.v as bigint
    const id = `${name}-${guard}-${who}-${attempt}`
    const { applied } = await client.batch(
      [[`UPDATE ${name} SET v = ? WHERE k = ? AND ${HELD}`, seen + 1n, 'counter', id]],
      {
        id,
        guard,
        condition: [`SELECT k FROM ${name} WHERE k = ? AND v = ?`, 'counter', seen],
        locks: [name],
        timeoutMs: 60_000,
      },
    )
    if (applied) done++
  }
}
