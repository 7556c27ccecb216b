/** What all requests that need the leader have in common: try here, else redirect or forward. */
import { setTimeout as wait } from 'node:timers/promises'
import { NoLeader, NotLeader } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { type Exchange, JSON_TYPE, send, sendError } from './exchange.ts'
import { BatchFailure } from './run-statements.ts'

export interface Reached<T> {
  value: T
  /** The HTTP address where this node answered, the Raft address where the leader did for it. */
  servedBy: string
}

/**
 * `act` is called with this node and, where that does not lead, with the leader. Undefined where the answer has been
 * sent: a redirect, or that there is no leader. @throws BatchFailure
 */
export async function reachLeader<T>(
  exchange: Exchange,
  act: (node: ClusterNode, isForwarded: boolean) => Promise<T>,
  contentType = JSON_TYPE,
): Promise<Reached<T> | undefined> {
  const { node, flags } = exchange
  try {
    return { value: await act(node, false), servedBy: node.address }
  } catch (error) {
    if (!(error instanceof NotLeader)) throw error
  }
  const { leader } = node
  if (flags.has('redirect')) redirect(exchange, leader, contentType)
  else if (!leader) sendError(exchange, 503, new NoLeader().message)
  else {
    await reachable(exchange, leader)
    try {
      return { value: await act(leader, true), servedBy: leader.raftAddress }
    } catch (error) {
      if (!(error instanceof NotLeader)) throw error
      throw new BatchFailure('not leader')
    }
  }
  return undefined
}

/** A redirect needs the leader's own word for its address. */
function redirect(exchange: Exchange, leader: ClusterNode | undefined, contentType: string): void {
  if (leader?.state !== 'running') sendError(exchange, 500, new NoLeader().message)
  else
    send(exchange, 301, '', {
      ...(contentType ? { 'content-type': contentType } : {}),
      location: `${leader.url}${exchange.path}${exchange.search}`,
    })
}

const DEFAULT_TIMEOUT_MS = 30_000

/** A dead leader refuses; one that stands still is waited for as long as the request says. */
async function reachable({ flags, node }: Exchange, leader: ClusterNode): Promise<void> {
  if (leader.state === 'killed')
    throw new BatchFailure(`dial tcp ${leader.raftAddress}: connect: connection refused`)
  if (leader.state !== 'paused') return
  const limit = new AbortController()
  const timeout = flags.milliseconds('timeout') ?? DEFAULT_TIMEOUT_MS
  const isLate = await Promise.race([
    wait(timeout, true, { signal: limit.signal, ref: false }),
    leader.resumed.then(() => false),
  ])
  limit.abort()
  if (isLate) throw new BatchFailure(forwardingTimeout(node, leader))
}

export function forwardingTimeout(node: ClusterNode, leader: ClusterNode): string {
  return `read protobuf length: read tcp ${node.address}->${leader.raftAddress}: i/o timeout`
}
