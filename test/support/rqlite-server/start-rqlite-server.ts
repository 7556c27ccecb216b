/**
 * A stand-in for a cluster of rqlite: its HTTP API over real SQLite files, one log and several nodes in one process.
 *
 * It is held to what a real cluster answered (`test/fixtures/rqlite.json`, played by
 * `test/rqlite-recordings.test.ts`), which it never reads.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { freePort } from '../free-port.ts'
import { Cluster } from './cluster.ts'
import { ClusterNode } from './cluster-node.ts'
import { Credentials, type User } from './credentials.ts'
import { type Exchange, sendError } from './exchange.ts'
import { type Faults, noFaults } from './faults.ts'
import { Listener } from './listener.ts'
import { BadFlag, QueryFlags } from './query-flags.ts'
import { route } from './router.ts'

export interface RqliteServerOptions {
  /** How many nodes. Defaults to 3. */
  size?: number
  /** Whether foreign keys are enforced, as with `-fk`. Defaults to false. */
  foreignKeys?: boolean
  /** Who may do what; everybody everything where it is absent. */
  users?: readonly User[]
  /** PEM, for HTTPS. */
  tls?: { key: string; cert: string }
  /** Milliseconds since 1970, for `datetime('now')`. Defaults to the system's clock. */
  now?: () => number
}

export interface RqliteServerNode {
  readonly id: string
  /** `http://127.0.0.1:12345`; the port stays through `restart`. */
  readonly url: string
  /** What other nodes call it by. Nobody listens there. */
  readonly raftAddress: string
  readonly state: 'running' | 'paused' | 'killed'
}

export interface RqliteServer {
  readonly nodes: readonly RqliteServerNode[]
  /** Switches that may be turned while the cluster runs. */
  readonly faults: Faults
  leader(): RqliteServerNode | undefined
  /** As SIGKILL: connections are reset, the port is closed. What was committed stays. */
  kill(node: RqliteServerNode): void
  /** A killed node runs again, with its state and on its port. */
  restart(node: RqliteServerNode): Promise<void>
  /** As SIGSTOP: connections are accepted, nothing is answered. */
  pause(node: RqliteServerNode): void
  /** As SIGCONT: what came in the meantime is answered now. */
  resume(node: RqliteServerNode): void
  /** Makes a node lead, `node` or any. */
  elect(node?: RqliteServerNode): void
  /** For a leader without a majority, under `faults.holdStepDown`. */
  stepDown(node: RqliteServerNode): void
  /** How many requests wait for the majority that this node does not reach, under `faults.holdStepDown`. */
  waiting(node: RqliteServerNode): number
  /** The leader applies what followers gave up on, under `faults.forwardedWrites: 'late'`. */
  applyLate(): void
  /** What a cluster reaches by itself in a moment: a leader that all know, all entries everywhere. */
  settle(): void
  stop(): Promise<void>
}

export async function startRqliteServer(options: RqliteServerOptions = {}): Promise<RqliteServer> {
  const faults = noFaults()
  const started = await Promise.all(
    Array.from({ length: options.size ?? 3 }, async (_, index) => {
      const listener = new Listener(options.tls, (req, res) => serve(index, req, res))
      await listener.listen(0)
      // Nobody listens there: nodes speak to each other in memory.
      const raftPort = await freePort()
      const address = `127.0.0.1:${listener.port}`
      const url = `${options.tls ? 'https' : 'http'}://${address}`
      return {
        listener,
        node: new ClusterNode(
          `node${index + 1}`,
          address,
          `127.0.0.1:${raftPort}`,
          url,
          options.foreignKeys ?? false,
        ),
      }
    }),
  )
  const nodes = started.map(({ node }) => node)
  const cluster = new Cluster(nodes, faults)
  // Not reached by `stop` where the test run is told to end at once.
  const removeNow = () => {
    for (const node of nodes) node.database.remove()
  }
  process.once('exit', removeNow)
  const credentials = options.users && new Credentials(options.users)
  const now = options.now ?? Date.now
  let sequence = BigInt(now()) * 1_000_000n
  const queue = {
    next: () => {
      sequence += 1n
      return sequence
    },
  }

  function serve(index: number, req: IncomingMessage, res: ServerResponse): void {
    const node = nodes[index]
    if (!node) return
    handle({ cluster, node, credentials, queue, now }, req, res).catch((error: unknown) => {
      if (res.headersSent || req.destroyed) return res.destroy()
      res.writeHead(500, { 'content-type': 'text/plain' }).end(`stand-in failed: ${String(error)}`)
    })
  }

  const own = (node: RqliteServerNode) => {
    const index = nodes.findIndex(one => one.id === node.id)
    const found = started[index]
    if (!found) throw new Error(`there is no ${node.id}`)
    return found
  }
  return {
    nodes,
    faults,
    leader: () => cluster.leader,
    kill: handle => {
      const { node, listener } = own(handle)
      node.state = 'killed'
      node.resume()
      listener.reset()
      cluster.lost(node)
    },
    restart: async handle => {
      const { node, listener } = own(handle)
      if (node.state !== 'killed') throw new Error(`${node.id} runs`)
      await listener.listen(listener.port)
      node.database.reopen()
      node.leader = undefined
      node.state = 'running'
      cluster.found(node)
    },
    pause: handle => {
      const { node } = own(handle)
      if (node.state !== 'running') throw new Error(`${node.id} is ${node.state}`)
      node.state = 'paused'
      node.resumed = new Promise(resolve => {
        node.resume = resolve
      })
      cluster.lost(node)
    },
    resume: handle => {
      const { node } = own(handle)
      if (node.state !== 'paused') throw new Error(`${node.id} is ${node.state}`)
      node.state = 'running'
      cluster.found(node)
      node.resume()
    },
    elect: handle => cluster.elect(handle && own(handle).node),
    stepDown: handle => cluster.stepDown(own(handle).node),
    waiting: handle => cluster.waitingFor(own(handle).node),
    applyLate: () => cluster.applyLate(),
    settle: () => cluster.settle(),
    stop: async () => {
      for (const { listener } of started) listener.reset()
      process.removeListener('exit', removeNow)
      removeNow()
    },
  }
}

type Surroundings = Pick<Exchange, 'cluster' | 'node' | 'credentials' | 'queue' | 'now'>

async function handle(around: Surroundings, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { node, cluster, credentials } = around
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  await node.resumed
  const target = req.url ?? '/'
  const method = req.method ?? 'GET'
  const fate =
    (await cluster.faults.onRequest?.({ node: node.id, method, target, headers: req.headers, body })) ??
    'serve'
  await node.resumed
  // What was under way when the node was killed came to nothing.
  if (fate === 'hang' || isKilled(node)) return
  if (fate === 'drop') return void req.socket.resetAndDestroy()
  if (typeof fate === 'object') return void res.writeHead(fate.status, fate.headers).end(fate.body)
  if (fate === 'drop-answer') dropAnswer(req, res)
  res.setHeader('x-rqlite-version', '10')
  res.setHeader('access-control-allow-methods', 'OPTIONS, GET, POST')
  res.setHeader('access-control-allow-headers', credentials ? 'Content-Type, Authorization' : 'Content-Type')
  if (credentials) res.setHeader('www-authenticate', 'Basic realm="rqlite"')
  const cut = target.indexOf('?')
  const search = cut < 0 ? '' : target.slice(cut)
  const exchange = {
    ...around,
    method,
    path: cut < 0 ? target : target.slice(0, cut),
    search,
    contentType: req.headers['content-type'] ?? '',
    body,
    req,
    res,
  }
  if (method === 'OPTIONS') return void res.writeHead(200, { 'content-length': '0' }).end()
  try {
    const flags = new QueryFlags(new URLSearchParams(search))
    await route({ ...exchange, flags })
  } catch (error) {
    if (!(error instanceof BadFlag)) throw error
    sendError({ ...exchange, flags: new QueryFlags(new URLSearchParams()) }, 400, error.message)
  }
}

const isKilled = (node: ClusterNode) => node.state === 'killed'

function dropAnswer(req: IncomingMessage, res: ServerResponse): void {
  res.writeHead = (() => res) as typeof res.writeHead
  res.end = (() => {
    req.socket.resetAndDestroy()
    return res
  }) as typeof res.end
}
