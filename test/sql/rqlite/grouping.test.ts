import { describe, expect, test } from 'vitest'
import { type BatchResult, HELD, type Statement } from '../../../src/sql/engine.ts'
import { hasCode } from '../../support/has-code.ts'
import { isExecute, standing } from './standing.ts'

const cluster = standing()

async function prepared() {
  const engine = cluster.client()
  const name = cluster.table()
  await engine.batch([[`CREATE TABLE ${name} (k TEXT PRIMARY KEY)`]], { id: `${name}-0` })
  cluster.heard.length = 0
  const insert = (key: string): Statement => [`INSERT INTO ${name} (k) VALUES (?)`, key]
  const keys = async () => (await engine.query([`SELECT k FROM ${name} ORDER BY k`])).map(row => row.k)
  return { engine, name, insert, keys }
}

const requests = () => cluster.heard.filter(isExecute).length

describe('rqlite: batches at once', () => {
  test('share one request', async () => {
    const { engine, insert, keys } = await prepared()
    await Promise.all(Array.from({ length: 40 }, (_, n) => engine.batch([insert(`k${n}`)])))
    expect(requests()).toBe(1)
    expect(await keys()).toHaveLength(40)
  })

  test('share none where grouping is off', async () => {
    const { name, insert } = await prepared()
    const engine = cluster.client({ groupMax: 1 })
    await Promise.all(Array.from({ length: 8 }, (_, n) => engine.batch([insert(`${name}${n}`)])))
    expect(requests()).toBeGreaterThanOrEqual(8)
  })

  test('are told each its own results, and the failing ones their own error', async () => {
    const { engine, name, insert, keys } = await prepared()
    await engine.batch([insert('taken')])
    const results = await Promise.allSettled([
      engine.batch([insert('a'), [`SELECT k FROM ${name} ORDER BY k`]]),
      engine.batch([insert('taken')]),
      engine.batch([insert('b'), ['DELETE FROM nowhere']], { id: `${name}-1` }),
      engine.batch([insert('c')], { id: `${name}-2` }),
      engine.batch([insert('c')], { id: `${name}-2` }),
      engine.batch([insert('d')], { id: `${name}-3`, condition: ['SELECT 1 WHERE 1 = 0'] }),
    ])
    expect(
      results.map(result => (result.status === 'fulfilled' ? result.value.applied : result.reason.code)),
    ).toEqual([true, 'conflict', 'invalid-argument', true, true, false])
    expect((results[0] as PromiseFulfilledResult<BatchResult>).value.results?.[1]?.rows).toContainEqual({
      k: 'a',
    })
    expect(await keys()).toEqual(['a', 'c', 'taken'])
  })

  test('fail none of the others where the guard is data', async () => {
    const { engine, name, keys } = await prepared()
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => {
        const id = `${name}-n${n}`
        return engine.batch([[`INSERT INTO ${name} (k) SELECT ? WHERE ${HELD}`, id, id]], {
          id,
          guard: 'data',
          condition: [`SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ${name})`],
        })
      }),
    )
    expect(results.filter(({ applied }) => applied)).toHaveLength(1)
    expect(await keys()).toHaveLength(1)
    expect(requests()).toBe(1)
  })

  test('are each resolved by their own id where the answer is lost', async () => {
    const { engine, name, insert, keys } = await prepared()
    let lost = 0
    cluster.faults.onRequest = request => (isExecute(request) && lost++ === 0 ? 'drop-answer' : 'serve')
    const results = await Promise.allSettled([
      engine.batch([insert('a')], { id: `${name}-1` }),
      engine.batch([insert('b')]),
      engine.batch([insert('c')], { id: `${name}-2`, condition: ['SELECT 1'] }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((results[0] as PromiseFulfilledResult<BatchResult>).value).toEqual({
      applied: true,
      results: undefined,
    })
    expect((results[1] as PromiseRejectedResult).reason).toSatisfy(hasCode('pending'))
    expect(await keys()).toEqual(['a', 'b', 'c'])
  })

  test('are sent again where the request is lost, those with an id', async () => {
    const { engine, name, insert, keys } = await prepared()
    let lost = 0
    cluster.faults.onRequest = request => (isExecute(request) && lost++ === 0 ? 'drop' : 'serve')
    const results = await Promise.allSettled([
      engine.batch([insert('a')], { id: `${name}-1` }),
      engine.batch([insert('b')]),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(await keys()).toEqual(['a'])
  })

  test('each fail or happen by themselves where the commit names no one', async () => {
    const { engine, insert, keys } = await prepared()
    let first = true
    cluster.faults.onRequest = request => {
      if (!isExecute(request) || !first) return 'serve'
      first = false
      return { status: 200, body: '{"results":[],"error":"FOREIGN KEY constraint failed"}' }
    }
    await Promise.all([engine.batch([insert('a')]), engine.batch([insert('b')])])
    expect(await keys()).toEqual(['a', 'b'])
  })
})

test('rqlite: makes its table of operations when it is first needed, and again where it is gone', async () => {
  const { engine, name, insert, keys } = await prepared()
  await engine.batch([['DROP TABLE stowage_operations']])
  expect(await engine.outcome(`${name}-0`)).toBeUndefined()
  expect(await engine.forget(0)).toBe(0)
  await Promise.all([
    engine.batch([insert('a')], { id: `${name}-1` }),
    engine.batch([insert('b')], { id: `${name}-2` }),
    engine.batch([[`SELECT k FROM ${name}`]]),
  ])
  expect(await keys()).toEqual(['a', 'b'])
  expect(await engine.outcome(`${name}-1`)).toBe(true)
})

test('rqlite: closes when what is under way has been answered', async () => {
  const { engine, insert } = await prepared()
  const batch = engine.batch([insert('a')])
  await engine.close()
  expect((await batch).applied).toBe(true)
})
