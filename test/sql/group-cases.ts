/** Batches that are asked for at once may share a request or a transaction; no caller can tell. */
import { expect } from 'vitest'
import { type BatchResult, HELD, type Statement } from '../../src/sql/engine.ts'
import { hasCode } from '../support/has-code.ts'
import { type EngineCase, keyedTable, keysIn } from './engine-case.ts'

export const GROUP_CASES: readonly EngineCase[] = [
  {
    title: 'answers sixty-four batches at once, of which each fourth breaks a constraint, each by itself',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const insert = `INSERT INTO ${name} (k, v) VALUES (?, ?)`
      await engine.batch([[insert, 'taken', 0n]])
      const answers = await Promise.allSettled(
        numbers(64).map(n =>
          engine.batch([
            [insert, `k${pad(n)}`, BigInt(n)],
            [`${insert} RETURNING v`, n % 4 === 3 ? 'taken' : `m${pad(n)}`, BigInt(n)],
          ]),
        ),
      )
      answers.forEach((answer, n) => {
        if (n % 4 === 3) {
          expect(answer.status).toBe('rejected')
          expect((answer as PromiseRejectedResult).reason).toSatisfy(hasCode('conflict'))
        } else {
          expect((answer as PromiseFulfilledResult<BatchResult>).value.results).toEqual([
            { changes: 1, rows: [] },
            { changes: 1, rows: [{ v: BigInt(n) }] },
          ])
        }
      })
      const expected = numbers(64)
        .filter(n => n % 4 !== 3)
        .flatMap(n => [`k${pad(n)}`, `m${pad(n)}`])
      expect(await keysIn(engine, name)).toEqual([...expected, 'taken'].sort())
    },
  },
  {
    title: 'runs batches of one client that are asked for at once in their order',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      await engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'a', 0n]])
      const answers = await Promise.all(
        numbers(20).map(() => engine.batch([[`UPDATE ${name} SET v = v + 1 WHERE k = ? RETURNING v`, 'a']])),
      )
      const seen = answers.map(answer => answer.results?.[0]?.rows[0]?.v as bigint)
      expect(seen.toSorted((a, b) => Number(a - b))).toEqual(numbers(20).map(n => BigInt(n + 1)))
    },
  },
  {
    title:
      'gives a name to one of several batches at once that want it, and lets the others happen not at all',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const claims = numbers(16).map(n => {
        const id = `${name}-claim-${n}`
        const insert: Statement = [
          `INSERT INTO ${name} (k, v) SELECT ?, ? WHERE ${HELD}`,
          'name',
          BigInt(n),
          id,
        ]
        const condition: Statement = [`SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ${name} WHERE k = ?)`, 'name']
        return engine.batch([insert], { id, condition, guard: 'data', locks: [name] })
      })
      const answers = await Promise.all(claims)
      expect(answers.filter(answer => answer.applied)).toHaveLength(1)
      const winner = answers.findIndex(answer => answer.applied)
      expect(await engine.query([`SELECT v FROM ${name}`])).toEqual([{ v: BigInt(winner) }])
    },
  },
  {
    title:
      'leaves the others alone where one of several batches at once is refused, aborted or without its table',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const insert = `INSERT INTO ${name} (k, v) VALUES (?, ?)`
      const answers = await Promise.allSettled([
        engine.batch([[insert, 'a', 1n]]),
        engine.batch([[insert, 'infinite', Number.POSITIVE_INFINITY]]),
        engine.batch([[insert, 'b', 1n]]),
        engine.batch([[insert, 'aborted', 1n]], { signal: AbortSignal.abort() }),
        engine.batch([[insert, 'c', 1n], ['selekt']]),
        engine.batch([[insert, 'd', 1n], [`DELETE FROM ${name}_nowhere`]]),
        engine.batch([[insert, 'e', 1n]], { id: `${name}-e` }),
      ])
      const codes = answers.map(answer => (answer.status === 'rejected' ? answer.reason.code : 'applied'))
      expect(codes).toEqual([
        'applied',
        'invalid-argument',
        'applied',
        'aborted',
        'invalid-argument',
        'invalid-argument',
        'applied',
      ])
      expect(await keysIn(engine, name)).toEqual(['a', 'b', 'e'])
    },
  },
]

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function pad(n: number): string {
  return String(n).padStart(2, '0')
}
