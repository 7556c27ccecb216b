/** The stand-in in the place of the recorded clusters: three nodes, and for a part one node with users. */
import { type RqliteServer, startRqliteServer } from '../rqlite-server/start-rqlite-server.ts'
import type { RecordedAnswer, Recording } from './recordings.ts'

export interface Answer extends RecordedAnswer {
  bytes: Buffer
}

export interface Stage {
  readonly cluster: RqliteServer
  /** One node with users and foreign keys. */
  readonly single: RqliteServer
  /** Sends the recorded request, with `body` in place of one that was recorded in short. */
  play(recording: Recording, body?: string | Buffer): Promise<Answer>
  /** A request that was not recorded, to the leader of the three. It must succeed. */
  ask(path: string, body: unknown): Promise<Answer>
  /** Addresses of this run in the place of the recorded ones, and back. */
  recordedNames(text: string): string
  stop(): Promise<void>
}

/** From here to there one node with users was recorded. */
const SINGLE = /^(?:auth-|fk-|single-)/

export async function openStage(): Promise<Stage> {
  const cluster = await startRqliteServer()
  const single = await startRqliteServer({
    size: 1,
    foreignKeys: true,
    users: [
      { username: 'app', password: 'secret2', perms: ['query', 'execute', 'status'] },
      { username: 'ro', password: 'secret3', perms: ['query'] },
      { username: '*', perms: ['ready'] },
    ],
  })
  const names = new Map<string, string>()
  for (const { nodes } of [cluster, single])
    nodes.forEach((node, index) => {
      names.set(new URL(node.url).host, `127.0.0.1:41${index}1`)
      names.set(node.raftAddress, `127.0.0.1:41${index}2`)
    })
  return {
    cluster,
    single,
    play: ({ name, request }, body) => {
      const server = SINGLE.test(name) ? single : cluster
      const index = (Number(new URL(request.base).port) - 4101) / 10
      const sent = body ?? request.body
      return send(`${server.nodes[index]?.url}${request.path}`, {
        method: request.method,
        headers: request.headers,
        ...(sent === undefined ? {} : { body: sent }),
      })
    },
    ask: async (path, body) => {
      const answer = await send(`${cluster.leader()?.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`)
      return answer
    },
    recordedNames: text => text.replace(/127\.0\.0\.1:\d+/g, address => names.get(address) ?? address),
    stop: async () => {
      await Promise.all([cluster.stop(), single.stop()])
    },
  }
}

async function send(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  const bytes = Buffer.from(await response.arrayBuffer())
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: bytes.toString('utf8'),
    bytes,
  }
}
