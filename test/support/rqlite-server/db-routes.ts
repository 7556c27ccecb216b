/** `/db/execute`, `/db/request` and `/db/query`. */
import { NoLeader, NotLeader } from './cluster.ts'
import type { ClusterNode, LogEntry } from './cluster-node.ts'
import { admits, type Exchange, sendError, sendJson } from './exchange.ts'
import { NotJson } from './json-answer.ts'
import { BadBody, parseStatements, type Statement } from './parse-statements.ts'
import { forwardingTimeout, reachLeader } from './reach-leader.ts'
import { envelopeJson, resultJson } from './results-json.ts'
import { rewriteStatement } from './rewrite-statement.ts'
import { type Batch, BatchFailure, type Result } from './run-statements.ts'

interface Answer {
  results: Result[]
  index: number
}

const DISALLOWED =
  /^\s*PRAGMA\s+(?:(?:\w+\.)?(?:journal_mode|synchronous|query_only)\s*=|wal_autocheckpoint\s*=|(?:\w+\.)?wal_checkpoint)/i

export async function execute(exchange: Exchange): Promise<void> {
  if (!admits(exchange, ['execute'], ['POST'])) return
  if (exchange.flags.has('queue')) return enqueue(exchange)
  await answer(exchange, 'execute', true, batch => write(exchange, { kind: 'execute', batch }))
}

export async function request(exchange: Exchange): Promise<void> {
  if (!admits(exchange, ['query', 'execute'], ['POST'])) return
  await answer(exchange, 'request', true, batch => {
    const { node, flags } = exchange
    const isRead = batch.statements.every(({ sql }) => readsOnly(node, sql))
    if (isRead && flags.level !== 'strong') return read(exchange, batch)
    return write(exchange, { kind: 'request', batch })
  })
}

export async function query(exchange: Exchange): Promise<void> {
  if (!admits(exchange, ['query'], ['GET', 'POST'])) return
  await answer(exchange, 'query', exchange.flags.level === 'strong', batch => read(exchange, batch))
}

async function answer(
  exchange: Exchange,
  kind: 'execute' | 'request' | 'query',
  isRewritten: boolean,
  run: (batch: Batch) => ReturnType<typeof write>,
): Promise<void> {
  const { flags } = exchange
  const timings = flags.has('timings')
  try {
    const statements = statementsOf(exchange, kind, isRewritten)
    if (statements.some(({ sql }) => DISALLOWED.test(sql))) throw new BatchFailure('disallowed pragma')
    const { isSlow } = exchange.cluster.faults
    const reached = await run({
      statements,
      transaction: flags.has('transaction'),
      qualifyColumns: kind !== 'execute' && flags.has('qualify_columns'),
      ...(flags.has('db_timeout') && isSlow ? { isTooSlow: isSlow } : {}),
    })
    if (!reached) return
    const form = {
      associative: flags.has('associative'),
      blobsAsArrays: flags.has('blob_array'),
      timings,
      isQuery: kind === 'query',
    }
    const results = reached.value.results.map(result => resultJson(result, form))
    const raftIndex = flags.has('raft_index') ? reached.value.index : 0
    sendJson(exchange, envelopeJson({ results, timings, raftIndex }), {
      'x-rqlite-served-by': reached.servedBy,
    })
  } catch (error) {
    if (error instanceof BadBody) return sendError(exchange, 400, error.message)
    if (error instanceof NotJson) {
      exchange.res.setHeader('x-rqlite-served-by', exchange.node.address)
      return sendError(exchange, 500, error.message)
    }
    if (!(error instanceof BatchFailure)) throw error
    sendJson(exchange, envelopeJson({ results: [], error: error.message, timings }))
  }
}

function statementsOf(
  { method, flags, contentType, body, now }: Exchange,
  kind: 'execute' | 'request' | 'query',
  isRewritten: boolean,
): Statement[] {
  let statements: Statement[]
  if (kind === 'query' && method === 'GET') statements = [{ sql: flags.text('q'), parameters: [] }]
  else if (kind !== 'request' && contentType.startsWith('text/plain'))
    statements = [{ sql: body.toString('utf8'), parameters: [] }]
  else statements = parseStatements(body)
  if (flags.has('noparse')) return statements
  const random = isRewritten && !flags.has('norwrandom')
  const time = isRewritten && !flags.has('norwtime')
  return statements.map(statement => ({
    ...statement,
    ...rewriteStatement(statement.sql, { random, time, now }),
  }))
}

function readsOnly(node: ClusterNode, sql: string): boolean {
  try {
    return sql === '' || node.database.reader.isReadOnly(sql)
  } catch {
    return false
  }
}

/** Through the log. */
async function write(exchange: Exchange, entry: LogEntry) {
  const { cluster, flags } = exchange
  return reachLeader(exchange, async (node, isForwarded): Promise<Answer> => {
    const { forwardedWrites } = cluster.faults
    if (isForwarded && forwardedWrites === 'late') {
      cluster.keepLate(entry, Math.max(2, Number(flags.text('retries') || 0) + 1))
      throw new BatchFailure(forwardingTimeout(exchange.node, node))
    }
    if (isForwarded && forwardedWrites === 'twice') await cluster.propose(node, entry)
    const { applied, index } = await cluster.propose(node, entry)
    if ('error' in applied) throw new BatchFailure(applied.error)
    return { results: applied.results, index }
  })
}

/** A heartbeat is never younger than this. */
const CONTACT_AGE_MS = 0.5
const NETWORK_MS = 0.001

async function read(exchange: Exchange, batch: Batch) {
  const { cluster, flags } = exchange
  return reachLeader(exchange, async (node): Promise<Answer> => {
    switch (flags.level) {
      case 'none':
        if (isStale(exchange, node)) throw new BatchFailure('stale read')
        break
      case 'weak':
        if (!node.believesToLead) throw new NotLeader()
        break
      case 'linearizable':
        await cluster.verify(node)
        if ((flags.milliseconds('linearizable_timeout') ?? 1000) < NETWORK_MS)
          throw new BatchFailure(`index ${cluster.log.length}: timeout waiting for fsm`)
        break
      case 'strong':
        return strongRead(exchange, node, batch)
    }
    return { results: node.read(batch), index: 0 }
  })
}

async function strongRead({ cluster }: Exchange, node: ClusterNode, batch: Batch): Promise<Answer> {
  try {
    const { applied, index } = await cluster.propose(node, { kind: 'query', batch })
    if ('error' in applied) throw new BatchFailure(applied.error)
    return { results: applied.results, index }
  } catch (error) {
    if (error instanceof BatchFailure && error.message.startsWith('leadership lost')) throw new NotLeader()
    throw error
  }
}

/** By the age of the leader's last word; strictly also by what has not been applied yet. */
function isStale({ cluster, flags }: Exchange, node: ClusterNode): boolean {
  const freshness = flags.milliseconds('freshness') ?? 0
  if (freshness === 0 || node.believesToLead) return false
  if (node.leader === undefined || node.leader.state !== 'running') return true
  if (freshness < CONTACT_AGE_MS) return true
  return flags.has('freshness_strict') && node.applied < cluster.log.length - 1
}

/** rqlite gathers for 50 ms before it writes. */
const QUEUE_DELAY_MS = 50

/** Answers before anything is known, and swallows every error. */
async function enqueue(exchange: Exchange): Promise<void> {
  const { cluster, node, flags, queue } = exchange
  if (!node.leader) return sendError(exchange, 503, new NoLeader().message)
  let statements: Statement[] = []
  try {
    statements = statementsOf(exchange, 'request', true)
  } catch (error) {
    if (!(error instanceof BadBody)) throw error
    if (error.message === 'no statements' && !flags.has('wait'))
      return sendError(exchange, 400, error.message)
  }
  const sequenceNumber = queue.next()
  const { leader } = node
  if (statements.length > 0)
    await cluster
      .propose(leader, { kind: 'execute', batch: { statements, transaction: false } })
      .catch(() => undefined)
  if (flags.has('wait') && (flags.milliseconds('timeout') ?? QUEUE_DELAY_MS) < QUEUE_DELAY_MS)
    return sendError(exchange, 408, 'queue wait timeout')
  sendJson(exchange, envelopeJson({ results: [], sequenceNumber, timings: flags.has('timings') }))
}
