/** What tests may rely on with both kinds of cluster, the real one and the stand-in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RqliteCluster, type RqliteNode, startRqlite } from './support/rqlite.ts'

let cluster: RqliteCluster

beforeAll(async () => {
  cluster = await startRqlite()
})

afterAll(async () => {
  await cluster?.stop()
})

async function leader(): Promise<RqliteNode> {
  await cluster.settle()
  const found = await cluster.leader()
  if (!found) throw new Error('nobody leads')
  return found
}

async function ask(node: RqliteNode, path: string, statements: unknown[]) {
  const response = await fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(statements),
    redirect: 'manual',
  })
  const text = await response.text()
  return { status: response.status, results: text.startsWith('{') ? JSON.parse(text).results : undefined }
}

const rows = async (node: RqliteNode, level: string) =>
  (await ask(node, `/db/query?level=${level}`, ['SELECT v FROM kinds'])).results[0].values

describe('a cluster', () => {
  it('keeps what was committed through kill, pause, resume and restart, and every node has it in the end', async () => {
    const first = await leader()
    await ask(first, '/db/execute', ['CREATE TABLE kinds(v)', "INSERT INTO kinds VALUES('before')"])
    await cluster.kill(first)
    await expect(ask(first, '/db/query', ['SELECT 1'])).rejects.toThrow()
    const second = await leader()
    expect(second.id).not.toBe(first.id)
    expect((await ask(second, '/db/execute?redirect', ["INSERT INTO kinds VALUES('killed')"])).status).toBe(
      200,
    )
    await cluster.restart(first)
    await cluster.settle()
    await cluster.pause(second)
    await expect(fetch(`${second.url}/readyz`, { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const third = await leader()
    expect(third.id).not.toBe(second.id)
    expect((await ask(third, '/db/execute?redirect', ["INSERT INTO kinds VALUES('paused')"])).status).toBe(
      200,
    )
    await cluster.resume(second)
    await cluster.settle()
    const last = await leader()
    expect(await rows(last, 'strong')).toEqual([['before'], ['killed'], ['paused']])
    for (const node of cluster.nodes) expect(await rows(node, 'none')).toEqual(await rows(last, 'strong'))
  })

  it('redirects a write from a follower to the leader', async () => {
    const leading = await leader()
    const follower = cluster.nodes.find(node => node.id !== leading.id) as RqliteNode
    const answer = await fetch(`${follower.url}/db/execute?redirect`, {
      method: 'POST',
      body: '["INSERT INTO kinds VALUES(1)"]',
      redirect: 'manual',
    })
    expect([answer.status, answer.headers.get('location')]).toEqual([
      301,
      `${leading.url}/db/execute?redirect`,
    ])
  })
})
