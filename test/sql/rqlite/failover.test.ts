/** A leader that dies or freezes under writers: on a real cluster where `rqlited` is there, else on the stand-in. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RqliteEngine, rqlite } from '../../../src/sql/rqlite/index.ts'
import { type RqliteCluster, type RqliteNode, startRqlite } from '../../support/rqlite.ts'

const WRITERS = 16
/** Batches that each writer must have acknowledged after the leader is gone, before it is over. */
const AFTER = 5
const LIMIT_MS = 60_000

let cluster: RqliteCluster
let engine: RqliteEngine

beforeAll(async () => {
  cluster = await startRqlite()
  engine = rqlite({ url: cluster.nodes.map(node => node.url) })
}, LIMIT_MS)
afterAll(async () => {
  await engine?.close()
  await cluster?.stop()
})

describe('rqlite: a leader that goes away under 16 writers', () => {
  test.each([
    ['killed', (node: RqliteNode) => cluster.kill(node), (node: RqliteNode) => cluster.restart(node)],
    ['frozen', (node: RqliteNode) => cluster.pause(node), (node: RqliteNode) => cluster.resume(node)],
  ])(
    'loses no acknowledged write and writes none twice when it is %s, and everybody reads what they wrote',
    async (how, goAway, comeBack) => {
      const name = `failover_${how}`
      await engine.batch([[`CREATE TABLE ${name} (k TEXT, writer INTEGER)`]])
      const acknowledged: string[] = []
      const gone = { at: Number.POSITIVE_INFINITY }
      const writers = Array.from({ length: WRITERS }, (_, writer) => write(name, writer, acknowledged, gone))
      await reached(() => acknowledged.length >= WRITERS * 5, writers)
      const leader = (await cluster.leader())!
      await goAway(leader)
      gone.at = acknowledged.length
      await Promise.all(writers)
      await comeBack(leader)
      await cluster.settle()
      const rows = await engine.query([`SELECT k, COUNT(*) AS n FROM ${name} GROUP BY k`], {
        consistency: 'linearizable',
      })
      expect(rows.filter(row => row.n !== 1n)).toEqual([])
      expect(rows.map(row => row.k as string).sort()).toEqual(acknowledged.sort())
      expect(acknowledged.length).toBeGreaterThanOrEqual(WRITERS * AFTER)
    },
    LIMIT_MS,
  )
})

/** Writes on until some batches have been acknowledged after the leader was gone. */
async function write(
  name: string,
  writer: number,
  acknowledged: string[],
  gone: { at: number },
): Promise<void> {
  for (let round = 0, after = 0; after < AFTER; round++) {
    const key = `${name}-${writer}-${round}`
    const insert = `INSERT INTO ${name} (k, writer) VALUES (?, ?)`
    const { applied } = await engine.batch([[insert, key, BigInt(writer)]], { id: key })
    expect(applied).toBe(true)
    acknowledged.push(key)
    const rows = await engine.query([`SELECT COUNT(*) AS n FROM ${name} WHERE k = ?`, key])
    expect(rows).toEqual([{ n: 1n }])
    if (acknowledged.length > gone.at) after++
  }
}

async function reached(isSo: () => boolean, others: readonly Promise<unknown>[]): Promise<void> {
  const failed = Promise.race(others)
  while (!isSo()) await Promise.race([failed, new Promise(resolve => setImmediate(resolve))])
}
