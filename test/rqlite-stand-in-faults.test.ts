/** What the stand-in for rqlite does beyond the recordings: its faults, and who may ask. */
import { request as httpsRequest } from 'node:https'
import { describe, expect, it } from 'vitest'
import { LOOPBACK_CERTIFICATE } from './support/loopback-certificate.ts'
import type { Fate } from './support/rqlite-server/faults.ts'
import type { RqliteServerNode } from './support/rqlite-server/start-rqlite-server.ts'
import { ask, standIn } from './support/stand-in.ts'

const { start, started } = standIn()

const insert = (node: RqliteServerNode, flags = '', value = 'v') =>
  ask(node, `/db/execute${flags}`, [['INSERT INTO t(s) VALUES(?)', value]])

const count = async (node: RqliteServerNode, flags = '?level=none') =>
  (await ask(node, `/db/query${flags}`, ['SELECT count(*) FROM t'])).results[0]?.values[0][0]

const failure = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    error => error.cause?.code ?? String(error),
  )

describe('replication', () => {
  it('leaves a follower one entry behind, until the cluster has settled', async () => {
    const { server, nodes } = await started()
    await insert(nodes[0])
    expect([await count(nodes[0]), await count(nodes[1]), await count(nodes[2])]).toEqual([1, 0, 0])
    await insert(nodes[0])
    expect([await count(nodes[0]), await count(nodes[1]), await count(nodes[2])]).toEqual([2, 1, 1])
    server.settle()
    expect([await count(nodes[0]), await count(nodes[1]), await count(nodes[2])]).toEqual([2, 2, 2])
  })

  it('holds followers back as long as it is told to, and answers weaker than stale from the leader only', async () => {
    const { faults, nodes } = await started()
    faults.replication = 'held'
    for (let written = 1; written <= 3; written += 1) await insert(nodes[0])
    expect(await count(nodes[1])).toBe(0)
    for (const level of ['weak', 'linearizable', 'strong'])
      expect(await count(nodes[1], `?level=${level}`), level).toBe(3)
    faults.replication = 'at-once'
    await insert(nodes[0])
    expect(await count(nodes[1])).toBe(4)
  })
})

describe('forwarding', () => {
  it('never forwards what comes with ?redirect', async () => {
    const { nodes } = await started()
    const answer = await insert(nodes[1], '?redirect')
    expect(answer).toMatchObject({ status: 301, location: `${nodes[0].url}/db/execute?redirect` })
    expect(await count(nodes[0])).toBe(0)
  })

  it('applies a forwarded write twice and answers 200', async () => {
    const { faults, nodes } = await started()
    faults.forwardedWrites = 'twice'
    const answer = await insert(nodes[1])
    expect(answer.results).toEqual([{ last_insert_id: 2, rows_affected: 1 }])
    expect(await count(nodes[0])).toBe(2)
    await insert(nodes[0])
    expect(await count(nodes[0])).toBe(3)
  })

  it('tells a timeout and applies the write later, once more than it was asked to retry', async () => {
    const { server, faults, nodes } = await started()
    faults.forwardedWrites = 'late'
    expect((await insert(nodes[1])).error).toMatch(/i\/o timeout$/)
    expect((await insert(nodes[1], '?retries=3')).error).toMatch(/i\/o timeout$/)
    expect(await count(nodes[0])).toBe(0)
    server.applyLate()
    expect(await count(nodes[0])).toBe(6)
  })
})

describe('a killed node', () => {
  it('refuses connections, and another one leads with all that was committed', async () => {
    const { server, nodes } = await started()
    await insert(nodes[0])
    server.kill(nodes[0])
    expect(await failure(insert(nodes[0]))).toMatch(/ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/)
    expect(server.leader()?.id).toBe('node2')
    expect(await count(nodes[1], '?level=strong')).toBe(1)
    expect((await insert(nodes[2])).results).toEqual([{ last_insert_id: 2, rows_affected: 1 }])
  })

  it('cuts the requests under way, and what they would have done is not done', async () => {
    const { server, faults, nodes } = await started()
    let heard = () => {}
    const arrived = new Promise<void>(resolve => {
      heard = resolve
    })
    let release = () => {}
    faults.onRequest = async (): Promise<Fate> => {
      heard()
      await new Promise<void>(resolve => {
        release = resolve
      })
      return 'serve'
    }
    const cut = failure(insert(nodes[0]))
    await arrived
    server.kill(nodes[0])
    expect(await cut).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
    faults.onRequest = undefined
    release()
    expect(await count(nodes[1], '?level=strong')).toBe(0)
  })

  it('comes back on its port with its state, without what it had not committed', async () => {
    const { server, nodes } = await started()
    await insert(nodes[0])
    await ask(nodes[0], '/db/execute', ['BEGIN', "INSERT INTO t(s) VALUES('open')"])
    server.settle()
    for (const node of nodes) server.kill(node)
    expect(server.leader()).toBeUndefined()
    // The client hears of the reset when it is its turn.
    for (const node of nodes) await failure(count(node))
    for (const node of nodes) await server.restart(node)
    expect(server.leader()).toBeDefined()
    server.settle()
    for (const node of nodes) expect(await count(node)).toBe(1)
    expect((await insert(nodes[0], '?transaction')).results).toEqual([
      { last_insert_id: 2, rows_affected: 1 },
    ])
  })

  it('leaves the others without a leader, or believing in it, until there is an election', async () => {
    const { server, faults, nodes } = await started()
    faults.elections = 'unnoticed'
    server.kill(nodes[0])
    expect((await insert(nodes[1])).error).toMatch(/^dial tcp .*connect: connection refused$/)
    expect(await insert(nodes[1], '?redirect')).toMatchObject({ status: 500, text: 'leader not found\n' })
    expect((await ask(nodes[1], '/readyz')).status).toBe(503)
    server.elect(nodes[2])
    faults.elections = 'leaderless'
    await server.restart(nodes[0])
    server.kill(nodes[2])
    expect(await insert(nodes[1])).toMatchObject({ status: 503, text: 'leader not found\n' })
    expect(await insert(nodes[1], '?redirect')).toMatchObject({ status: 500, text: 'leader not found\n' })
    server.elect()
    expect((await insert(nodes[1])).status).toBe(200)
  })
})

describe('a paused node', () => {
  it('answers nothing, and what came in the meantime when it runs again', async () => {
    const { server, nodes } = await started()
    server.pause(nodes[1])
    const hanging = count(nodes[1])
    const first = await Promise.race([hanging, count(nodes[0])])
    expect(first).toBe(0)
    await expect(fetch(`${nodes[1].url}/readyz`, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    server.resume(nodes[1])
    expect(await hanging).toBe(0)
  })

  it('once led: weak reads are stale, linearizable and strong ones are not, and a write ends it', async () => {
    const { server, faults, nodes } = await started()
    faults.resumedLeader = 'answers'
    server.pause(nodes[0])
    await insert(nodes[1])
    server.resume(nodes[0])
    expect(await count(nodes[0], '?level=weak')).toBe(0)
    expect(await count(nodes[0], '?level=linearizable')).toBe(1)
    server.elect(nodes[0])
    server.pause(nodes[0])
    await insert(nodes[1])
    server.resume(nodes[0])
    expect(await count(nodes[0], '?level=weak')).toBe(1)
    expect(await insert(nodes[0])).toMatchObject({
      status: 200,
      results: [],
      error: 'leadership lost while committing log',
    })
    expect(await count(nodes[0], '?level=weak')).toBe(2)
  })

  it('is waited for by followers that did not notice, as long as the request says', async () => {
    const { server, faults, nodes } = await started()
    faults.elections = 'unnoticed'
    server.pause(nodes[0])
    expect((await insert(nodes[1], '?timeout=10ms')).error).toMatch(/i\/o timeout$/)
    expect((await ask(nodes[1], '/readyz')).text).toMatch(/leader not contactable: .*i\/o timeout$/)
    const seen = JSON.parse((await ask(nodes[1], '/nodes?ver=2')).text).nodes[0]
    expect(seen).toMatchObject({ reachable: false, error: 'timeout waiting for node to respond' })
    const patient = insert(nodes[1])
    server.resume(nodes[0])
    expect((await patient).results).toEqual([{ last_insert_id: 1, rows_affected: 1 }])
  })
})

describe('lost leadership', () => {
  it('says nothing about whether the write happened', async () => {
    const { faults, nodes, server } = await started()
    for (const [fate, rows] of [
      ['applied', 1],
      ['lost', 1],
    ] as const) {
      const leader = server.leader() as RqliteServerNode
      faults.loseLeadership = fate
      expect((await insert(leader)).error).toBe('leadership lost while committing log')
      expect(server.leader()?.id).not.toBe(leader.id)
      expect(await count(nodes[2], '?level=strong')).toBe(rows)
    }
  })

  it('without a majority keeps the write for the next election that this node wins, and loses it otherwise', async () => {
    const { server, faults, nodes } = await started()
    const write = async () => {
      server.elect(nodes[0])
      server.kill(nodes[1])
      server.kill(nodes[2])
      expect((await insert(nodes[0])).error).toBe('leadership lost while committing log')
    }
    await write()
    for (const node of [nodes[1], nodes[2]]) await server.restart(node)
    expect(await count(nodes[1], '?level=strong')).toBe(1)
    await write()
    server.kill(nodes[0])
    for (const node of [nodes[1], nodes[2]]) await server.restart(node)
    await server.restart(nodes[0])
    expect(faults.elections).toBe('at-once')
    expect(await count(nodes[1], '?level=strong')).toBe(1)
  })
})

describe('the fate of a request', () => {
  it('drops it before or after it was done, lets it hang, delays it, or answers in its place', async () => {
    const { faults, nodes } = await started()
    faults.onRequest = () => 'drop'
    expect(await failure(insert(nodes[0]))).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
    faults.onRequest = () => 'drop-answer'
    expect(await failure(insert(nodes[0]))).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
    faults.onRequest = () => ({ status: 503, body: 'not now' })
    expect(await insert(nodes[0])).toMatchObject({ status: 503, text: 'not now' })
    faults.onRequest = () => 'hang'
    await expect(fetch(`${nodes[0].url}/readyz`, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const heard: string[] = []
    faults.onRequest = async ({ node, method, target, body }): Promise<Fate> => {
      heard.push(`${node} ${method} ${target} ${body}`)
      await Promise.resolve()
      return 'serve'
    }
    expect(await count(nodes[0])).toBe(1)
    expect(heard).toEqual(['node1 POST /db/query?level=none ["SELECT count(*) FROM t"]'])
  })
})

describe('who may ask', () => {
  it('answers 401 without a body to a wrong password and to a missing permission', async () => {
    const { nodes } = await started({
      users: [
        { username: 'writer', password: 'w', perms: ['all'] },
        { username: '*', perms: ['status'] },
      ],
    })
    const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
    expect(await ask(nodes[0], '/db/query', ['SELECT 1'], basic('writer:x'))).toMatchObject({
      status: 401,
      text: '',
    })
    expect((await ask(nodes[0], '/nodes?ver=2')).status).toBe(200)
    expect((await ask(nodes[0], '/readyz')).status).toBe(401)
    const written = await ask(nodes[1], '/db/execute', ['CREATE TABLE x(a)'], basic('writer:w'))
    expect(written.results).toEqual([{}])
  })

  it('speaks TLS', async () => {
    const cluster = await start({ size: 1, tls: LOOPBACK_CERTIFICATE })
    const url = `${cluster.nodes[0]?.url}/readyz`
    const ready = (ca?: string) =>
      new Promise((resolve, reject) => {
        httpsRequest(url, { agent: false, ...(ca ? { ca } : {}) }, answer => resolve(answer.statusCode))
          .on('error', reject)
          .end()
      })
    expect(await ready(LOOPBACK_CERTIFICATE.cert)).toBe(200)
    await expect(ready()).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })
})
