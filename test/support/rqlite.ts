/** The cluster of rqlite that tests run against: a real one where `rqlited` is there, else the stand-in. */
import type { User } from './rqlite-server/credentials.ts'
import type { Faults } from './rqlite-server/faults.ts'
import { type RqliteServer, startRqliteServer } from './rqlite-server/start-rqlite-server.ts'
import { startRqlited } from './rqlited.ts'
import { findTool } from './tools.ts'

export interface RqliteOptions {
  /** How many nodes. Defaults to 3. */
  size?: number
  /** Whether foreign keys are enforced, as with `-fk`. Defaults to false. */
  foreignKeys?: boolean
  /** Who may do what; everybody everything where it is absent. */
  users?: readonly User[]
  /** PEM, for HTTPS with a certificate for 127.0.0.1. */
  tls?: { key: string; cert: string }
  /** Runs the stand-in even where `rqlited` is there: for tests that are about one of its faults. */
  kind?: 'stand-in'
}

export interface RqliteNode {
  readonly id: string
  /** `http://127.0.0.1:12345`; stays through `restart`. */
  readonly url: string
}

export interface RqliteCluster {
  /** Which of the two is running. */
  readonly kind: 'rqlited' | 'stand-in'
  readonly nodes: readonly RqliteNode[]
  /** Undefined while none leads. */
  leader(): Promise<RqliteNode | undefined>
  /** SIGKILL: connections are reset, the port is closed. */
  kill(node: RqliteNode): Promise<void>
  /** A killed node runs again with its state, on its port. */
  restart(node: RqliteNode): Promise<void>
  /** SIGSTOP: connections are accepted, nothing is answered. */
  pause(node: RqliteNode): Promise<void>
  resume(node: RqliteNode): Promise<void>
  /** Resolves when one leads, every running node knows it, and all have applied all. */
  settle(): Promise<void>
  /** What only the stand-in can do; a test that needs it is skipped on a real cluster with `unavailable`. */
  readonly standIn: RqliteStandIn | { unavailable: string }
  stop(): Promise<void>
}

/** The faults, and what time does on a real cluster: see `Faults` and `RqliteServer`. */
export interface RqliteStandIn {
  readonly faults: Faults
  /** Makes `node`, or any, lead. */
  elect(node?: RqliteNode): void
  /** Ends the leadership of a node that reaches no majority, or that another one has followed. */
  stepDown(node: RqliteNode): void
  /** Applies the writes that followers gave up on. */
  applyLate(): void
}

/** Starts three nodes on free ports of 127.0.0.1. Stop them when the test is done. */
export async function startRqlite(options: RqliteOptions = {}): Promise<RqliteCluster> {
  const command = options.kind === 'stand-in' ? undefined : findTool('rqlited')
  if (command !== undefined) return startRqlited(command, options)
  return standIn(await startRqliteServer(options))
}

function standIn(server: RqliteServer): RqliteCluster {
  const own = (node: RqliteNode) => {
    const found = server.nodes.find(one => one.id === node.id)
    if (!found) throw new Error(`there is no ${node.id}`)
    return found
  }
  return {
    kind: 'stand-in',
    nodes: server.nodes.map(({ id, url }) => ({ id, url })),
    leader: async () => {
      const leader = server.leader()
      return leader && { id: leader.id, url: leader.url }
    },
    kill: async node => server.kill(own(node)),
    restart: node => server.restart(own(node)),
    pause: async node => server.pause(own(node)),
    resume: async node => server.resume(own(node)),
    settle: async () => server.settle(),
    standIn: {
      faults: server.faults,
      elect: node => server.elect(node && own(node)),
      stepDown: node => server.stepDown(own(node)),
      applyLate: () => server.applyLate(),
    },
    stop: server.stop,
  }
}
