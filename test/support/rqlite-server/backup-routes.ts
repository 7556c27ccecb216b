/** `/db/backup` and `/db/load`. */
import { gzipSync } from 'node:zlib'
import { NotLeader } from './cluster.ts'
import { admits, type Exchange, send, sendError, sendJson } from './exchange.ts'
import { reachLeader } from './reach-leader.ts'
import { envelopeJson, resultJson } from './results-json.ts'
import { BatchFailure } from './run-statements.ts'

const FILE_TYPE = 'application/octet-stream'
const SQLITE_HEADER = Buffer.from('SQLite format 3\0')

/** A SQLite file: of the leader, or of this node with `?noleader`. */
export async function backup(exchange: Exchange): Promise<void> {
  const { flags } = exchange
  if (!admits(exchange, ['backup'], ['GET'], '')) return
  if (flags.has('fmt')) return sendError(exchange, 501, 'the stand-in makes binary backups only')
  try {
    const reached = await reachLeader(
      exchange,
      async node => {
        if (!flags.has('noleader') && !node.believesToLead) throw new NotLeader()
        return node.database.backup(flags.has('vacuum'))
      },
      FILE_TYPE,
    )
    if (!reached) return
    const file = flags.has('compress') ? gzipSync(reached.value, { level: 1 }) : reached.value
    // Go's writer names no operating system.
    if (flags.has('compress')) file[9] = 255
    send(exchange, 200, file, { 'content-type': FILE_TYPE })
  } catch (error) {
    if (!(error instanceof BatchFailure)) throw error
    sendError(exchange, 500, error.message)
  }
}

/** A SQLite file replaces everything; anything else is SQL text that is run. */
export async function load(exchange: Exchange): Promise<void> {
  const { body, cluster } = exchange
  if (!admits(exchange, ['load'], ['POST'], '')) return
  const isFile = body.subarray(0, SQLITE_HEADER.length).equals(SQLITE_HEADER)
  const statements = [{ sql: body.toString('utf8'), parameters: [] }]
  const batch = { statements, transaction: false, rollbackOnError: true }
  try {
    const reached = await reachLeader(
      exchange,
      async node => {
        const { applied } = await cluster.propose(
          node,
          isFile ? { kind: 'load', file: body } : { kind: 'execute', batch },
        )
        if ('error' in applied) throw new BatchFailure(applied.error)
        return applied.results
      },
      '',
    )
    if (!reached) return
    const form = { associative: false, blobsAsArrays: false, timings: false, isQuery: false }
    const results = reached.value.map(result => resultJson(result, form))
    sendJson(exchange, envelopeJson({ results, timings: false }), {
      'content-type': 'text/plain; charset=utf-8',
      'x-rqlite-served-by': reached.servedBy,
    })
  } catch (error) {
    if (!(error instanceof BatchFailure)) throw error
    if (isFile) return sendError(exchange, 500, error.message)
    sendJson(exchange, envelopeJson({ results: [], error: error.message, timings: false }), {
      'content-type': 'text/plain; charset=utf-8',
    })
  }
}
