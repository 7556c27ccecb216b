import type { Cluster, Reply } from './cluster.ts'

// Without norw… rqlite would print statements anew that mention a time function; what differs by node is refused here.
const PATH = '/db/execute?transaction&redirect&blob_array&norwrandom&norwtime'

/** Sends statements in JSON to the leader, as one transaction. */
export function execute(cluster: Cluster, body: string): Promise<Reply> {
  return cluster.ask({ operation: 'batch', path: PATH, body, to: 'leader' })
}
