import { describe, expect, test } from 'vitest'
import { rqlite } from '../../../src/sql/rqlite/index.ts'
import { freePort } from '../../support/free-port.ts'
import { hasCode } from '../../support/has-code.ts'
import { isExecute, isQuery, standing } from './standing.ts'

const cluster = standing()

const answered = (engine: ReturnType<typeof cluster.client>, name: string) =>
  engine.batch([[`CREATE TABLE ${name} (k TEXT)`]], { id: `${name}-create` })

/** Waits between tries that last until they are let go: a time limit then ends in one of them, not in a request. */
function heldWaits() {
  let isHeld = true
  const held: (() => void)[] = []
  return {
    wait: () => new Promise<void>(resolve => (isHeld ? held.push(resolve) : setTimeout(resolve, 10))),
    letGo() {
      isHeld = false
      for (const go of held.splice(0)) go()
    },
  }
}

describe('rqlite: finding the cluster', () => {
  test('goes on with the nodes it has found where the one it was given dies', async () => {
    const [node] = cluster.cluster.nodes
    const engine = cluster.client({ url: node!.url })
    await answered(engine, cluster.table())
    await expect.poll(() => cluster.heard.some(({ target }) => target.startsWith('/nodes'))).toBe(true)
    await cluster.cluster.kill(node!)
    await answered(engine, cluster.table())
    await cluster.cluster.restart(node!)
    await cluster.cluster.settle()
  })

  test('takes the next address where one is dead from the start', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`
    const engine = cluster.client({ url: [dead, ...cluster.cluster.nodes.map(node => node.url)] })
    await answered(engine, cluster.table())
    expect(await engine.query(['SELECT 1 AS one'], { consistency: 'stale' })).toEqual([{ one: 1n }])
  })

  test('works where it may not ask for the nodes', async () => {
    const engine = cluster.client()
    cluster.faults.onRequest = ({ target }) =>
      target.startsWith('/nodes') ? { status: 401, body: '' } : 'serve'
    await answered(engine, cluster.table())
    await answered(engine, cluster.table())
  })

  test('says that nothing happened, and why, where no node can be reached', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const waits = heldWaits()
    const engine = cluster.client({ url, deadlineMs: 1000, wait: waits.wait })
    const sent = engine.batch([['DELETE FROM a']], { id: 'never-sent' })
    await expect(sent).rejects.toThrow(`${url} can’t be reached; nothing happened`)
    await expect(sent).rejects.toSatisfy(hasCode('unavailable'))
    await expect(engine.query(['SELECT 1 AS one'])).rejects.toSatisfy(hasCode('unavailable'))
    waits.letGo()
  })

  test('waits for a leader, and says that there is none', async () => {
    const waits = heldWaits()
    const engine = cluster.client({ wait: waits.wait })
    const name = cluster.table()
    await answered(engine, name)
    cluster.faults.elections = 'leaderless'
    const leader = (await cluster.cluster.leader())!
    await cluster.cluster.kill(leader)
    await expect(engine.batch([[`DELETE FROM ${name}`]], { timeoutMs: 2000 })).rejects.toSatisfy(
      hasCode('unavailable'),
    )
    waits.letGo()
    const waiting = engine.batch([[`INSERT INTO ${name} (k) VALUES ('a')`]])
    await cluster.cluster.restart(leader)
    cluster.faults.elections = 'at-once'
    await cluster.cluster.settle()
    expect((await waiting).applied).toBe(true)
  })

  test('follows redirects to the end, but not in a circle', async () => {
    const waits = heldWaits()
    const engine = cluster.client({ deadlineMs: 2000, wait: waits.wait })
    const [first] = cluster.cluster.nodes
    cluster.faults.onRequest = ({ target }) => ({
      status: 301,
      body: '',
      headers: { location: `${first!.url}${target}` },
    })
    await expect(engine.batch([['DELETE FROM a']])).rejects.toThrow(/from one to the other/)
    waits.letGo()
  })

  test('goes to no leader of another protocol', async () => {
    const engine = cluster.client()
    cluster.faults.onRequest = ({ target }) => ({
      status: 301,
      body: '',
      headers: { location: `https://127.0.0.1:1${target}` },
    })
    await expect(engine.batch([['DELETE FROM a']])).rejects.toThrow(/another protocol/)
  })
})

describe('rqlite: time limits of its own', () => {
  test('gives up a node that is frozen', async () => {
    const engine = cluster.client({ timeoutMs: 20_000 })
    const name = cluster.table()
    await answered(engine, name)
    const leader = (await cluster.cluster.leader())!
    await cluster.cluster.pause(leader)
    const { applied } = await engine.batch([[`INSERT INTO ${name} (k) VALUES ('a')`]], { id: `${name}-1` })
    expect(applied).toBe(true)
    await cluster.cluster.resume(leader)
    await cluster.cluster.settle()
    expect(await engine.query([`SELECT COUNT(*) AS n FROM ${name}`])).toEqual([{ n: 1n }])
  }, 10_000)

  test('is pending at once where the caller leaves a batch that is under way', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await answered(engine, name)
    const abort = new AbortController()
    cluster.faults.onRequest = request => {
      if (!isExecute(request)) return 'serve'
      abort.abort()
      return 'hang'
    }
    const batch = engine.batch([[`DELETE FROM ${name}`]], { id: `${name}-1`, signal: abort.signal })
    await expect(batch).rejects.toSatisfy(hasCode('pending'))
    await expect(batch).rejects.toThrow(`outcome('${name}-1')`)
    cluster.faults.onRequest = undefined
  }, 10_000)

  test('ends a read with the limit of its caller', async () => {
    const engine = cluster.client()
    cluster.faults.onRequest = request => (isQuery(request) ? 'hang' : 'serve')
    await expect(engine.query(['SELECT 1 AS one'], { timeoutMs: 50 })).rejects.toSatisfy(hasCode('timeout'))
    const abort = new AbortController()
    const read = engine.query(['SELECT 1 AS one'], { signal: abort.signal })
    setImmediate(() => abort.abort())
    await expect(read).rejects.toSatisfy(hasCode('aborted'))
  })
})

describe('rqlite: how old an answer may be', () => {
  test('reads what it has written while the followers lag, and the stale where it may', async () => {
    const leader = (await cluster.cluster.leader())!
    const follower = cluster.cluster.nodes.find(node => node.id !== leader.id)!
    const engine = cluster.client({ url: [follower.url, leader.url] })
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]])
    await cluster.cluster.settle()
    cluster.faults.replication = 'held'
    for (let n = 1n; n <= 10n; n++) {
      await engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, `k${n}`]])
      const count = `SELECT COUNT(*) AS n FROM ${name}`
      expect(await engine.query([count])).toEqual([{ n }])
      expect(await engine.query([count], { consistency: 'stale' })).toEqual([{ n: 0n }])
    }
    cluster.faults.replication = 'next-entry'
    await cluster.cluster.settle()
  })

  test('reads linearizably after a change of leader until it has been answered, then cheaply again', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await answered(engine, name)
    const others = cluster.cluster.nodes.filter(
      async node => node.id !== (await cluster.cluster.leader())?.id,
    )
    const old = (await cluster.cluster.leader())!
    const next = others.find(node => node.id !== old.id)!
    if ('unavailable' in cluster.cluster.standIn) throw new Error('no stand-in')
    cluster.cluster.standIn.elect(next)
    cluster.heard.length = 0
    for (let times = 0; times < 3; times++) await engine.query([`SELECT k FROM ${name}`])
    const levels = cluster.heard
      .filter(isQuery)
      .map(({ node, target }) => [node, /level=(\w+)/.exec(target)![1]])
    expect(levels.slice(-2).every(([node, level]) => node === next.id && level === 'weak')).toBe(true)
    expect(levels).toContainEqual([next.id, 'linearizable'])
    const first = levels.findIndex(([, level]) => level === 'linearizable')
    expect(levels.slice(first + 1).some(([, level]) => level === 'linearizable')).toBe(false)
  })

  test('never takes the old state of a leader that was frozen for its own', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await answered(engine, name)
    cluster.faults.resumedLeader = 'answers'
    const old = (await cluster.cluster.leader())!
    await cluster.cluster.pause(old)
    await engine.batch([[`INSERT INTO ${name} (k) VALUES ('a')`]], { id: `${name}-1` })
    await cluster.cluster.resume(old)
    for (let times = 0; times < 5; times++)
      expect(await engine.query([`SELECT k FROM ${name}`])).toEqual([{ k: 'a' }])
    await cluster.cluster.settle()
  }, 10_000)
})

test('rqlite: sends and reads bodies of 10 MiB', async () => {
  const engine = cluster.client()
  const name = cluster.table()
  await engine.batch([[`CREATE TABLE ${name} (k TEXT, v BLOB)`]])
  const text = 'é"\\'.repeat(2 ** 20)
  const bytes = new Uint8Array(10 * 2 ** 20).map((_, index) => index % 251)
  await engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, text, bytes]])
  const [row] = await engine.query([`SELECT k, v FROM ${name}`])
  expect(row!.k === text).toBe(true)
  expect(Buffer.compare(row!.v as Uint8Array, bytes)).toBe(0)
}, 30_000)

test('rqlite: joins no transaction, and names what does instead', () => {
  const engine = rqlite({ url: 'http://127.0.0.1:1' })
  expect(() => engine.join({})).toThrow(/`also`/)
})
