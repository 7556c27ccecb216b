/** Who leads, who is there, is it ready; the rest of what an operator asks, as far as a client meets it. */
import { NotLeader } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { admits, type Exchange, JSON_TYPE, send, sendError, sendJson } from './exchange.ts'
import { jsonArray, jsonObject, jsonString } from './json-answer.ts'
import { forwardingTimeout, reachLeader } from './reach-leader.ts'

export function nodes(exchange: Exchange): void {
  if (!admits(exchange, ['status'], ['GET'])) return
  const { cluster, node, flags } = exchange
  const described = cluster.nodes.map(other => [other.id, nodeJson(other, node.leader)] as const)
  const json =
    flags.text('ver') === '2'
      ? jsonObject([['nodes', jsonArray(described.map(([, one]) => one))]])
      : jsonObject(described)
  sendJson(exchange, json)
}

/** What this node sees of `other`: no HTTP address where it can't be asked. */
function nodeJson(other: ClusterNode, leader: ClusterNode | undefined): string {
  const isThere = other.state === 'running'
  const refused =
    other.state === 'killed'
      ? `dial tcp ${other.raftAddress}: connect: connection refused`
      : 'timeout waiting for node to respond'
  return jsonObject([
    ['id', jsonString(other.id)],
    ['api_addr', isThere ? jsonString(other.url) : undefined],
    ['addr', jsonString(other.raftAddress)],
    ['version', jsonString(isThere ? '10' : '')],
    ['voter', 'true'],
    ['reachable', String(isThere)],
    ['leader', String(isThere && other === leader)],
    ['error', isThere ? undefined : jsonString(refused)],
    ['time', isThere ? '0.000024556' : undefined],
    ['time_s', isThere ? '"24.837µs"' : undefined],
  ])
}

/** GET tells the leader, POST lets it hand over. */
export async function leader(exchange: Exchange): Promise<void> {
  if (!admits(exchange, ['leader-ops'], ['GET', 'POST'])) return
  const { cluster, node, method } = exchange
  if (method === 'GET') {
    if (!node.leader) return sendError(exchange, 503, 'leader not found')
    return sendJson(exchange, nodeJson(node.leader, node.leader))
  }
  const reached = await reachLeader(exchange, async asked => {
    if (!asked.believesToLead) throw new NotLeader()
    cluster.elect(cluster.nodes.find(other => other !== asked && cluster.isRunning(other)))
  })
  if (reached) send(exchange, 200, '', { 'content-type': JSON_TYPE, 'x-rqlite-served-by': reached.servedBy })
}

export function readyz(exchange: Exchange): void {
  if (!admits(exchange, ['ready'], ['GET'], '')) return
  const { node, flags } = exchange
  const tell = (status: number, ...lines: string[]): void => {
    send(exchange, status, ['[+]node ok', ...lines].join('\n'), {
      'content-type': 'text/plain; charset=utf-8',
    })
  }
  if (flags.has('noleader')) tell(200)
  else if (!node.leader) tell(503, '[+]leader does not exist')
  else if (node.leader.state !== 'running') {
    const refused =
      node.leader.state === 'killed'
        ? `dial tcp ${node.leader.raftAddress}: connect: connection refused`
        : forwardingTimeout(node, node.leader)
    tell(503, `[+]leader not contactable: ${refused}`)
  } else tell(200, '[+]leader ok', '[+]store ok', ...(flags.has('sync') ? ['[+]sync ok'] : []), '[+]db ok')
}

/** The few fields that say how far a node is; `?key=store.raft` picks a part. */
export function status(exchange: Exchange): void {
  if (!admits(exchange, ['status'], ['GET'])) return
  const { cluster, node, flags } = exchange
  const all = {
    build: { version: '10' },
    http: { bind_addr: node.address },
    store: {
      addr: node.raftAddress,
      node_id: node.id,
      leader: { addr: node.leader?.raftAddress ?? '', node_id: node.leader?.id ?? '' },
      nodes: cluster.nodes.map(other => ({ id: other.id, addr: other.raftAddress, suffrage: 'Voter' })),
      raft: {
        applied_index: node.applied,
        commit_index: node.believesToLead ? cluster.log.length : node.applied,
        num_peers: cluster.nodes.length - 1,
        state: node.believesToLead ? 'Leader' : 'Follower',
        voter: true,
      },
    },
  }
  const keys = flags.text('key').split('.').filter(Boolean)
  const part = keys.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], all)
  sendJson(exchange, JSON.stringify(part ?? {}))
}

export function snapshot(exchange: Exchange): void {
  if (admits(exchange, ['snapshot'], ['POST'], undefined)) send(exchange, 200, '')
}

/** The stand-in keeps no snapshots; a real node keeps the one that it made last. */
export function reap(exchange: Exchange): void {
  if (!admits(exchange, ['snapshot'], ['POST'], '')) return
  send(exchange, 200, '{"snapshots_reaped":1,"wals_checkpointed":1}\n', { 'content-type': JSON_TYPE })
}

/** Nodes of the stand-in stay; that one is gone which was never there is told as a success. */
export async function remove(exchange: Exchange): Promise<void> {
  if (!admits(exchange, ['remove'], ['DELETE'], '')) return
  const { id } = JSON.parse(exchange.body.toString('utf8'))
  if (exchange.cluster.nodes.some(node => node.id === id))
    return sendError(exchange, 501, 'the stand-in removes no nodes')
  const reached = await reachLeader(exchange, async node => {
    if (!node.believesToLead) throw new NotLeader()
  })
  if (reached) send(exchange, 200, '', { 'x-rqlite-served-by': reached.servedBy })
}
