/** Records on a cluster of rqlite: a batch is one entry of its Raft log. */
import { isStorageError, StorageError, unsupported } from '../../core/errors.ts'
import { assertBatch, assertId, assertQueryOptions, assertReads, forgetting } from '../engine/assert-call.ts'
import {
  askOperation,
  type BatchOptions,
  type BatchResult,
  type ColumnTypes,
  type Engine,
  type JoinedTransaction,
  type QueryOptions,
  type Row,
  type Statement,
} from '../engine.ts'
import { type Answer, parseAnswer } from './answer-json.ts'
import { BatchMember } from './batch-member.ts'
import { Cluster, type Reply } from './cluster.ts'
import { REAL_TYPE } from './decode-rows.ts'
import { checkResults, failure, topLevelError } from './failures.ts'
import { appliedIndex, backupFile, loadFile, type TransferOptions } from './file-transfer.ts'
import { type RqliteOptions, readOptions, type Settings } from './options.ts'
import { ReadEnds } from './read-ends.ts'
import { Session } from './session.ts'
import { RQLITE } from './statement-text.ts'
import { TypedQueries } from './typed-query.ts'
import { WriteQueue } from './write-queue.ts'

/** An engine on rqlite, with what only rqlite has. */
export interface RqliteEngine extends Engine {
  readonly name: 'rqlite'

  /**
   * The whole database as a SQLite file, as it comes from the leader. Keep it only once it has come to its end: an
   * error can no longer change the status of an answer that has begun, so header and length are checked.
   *
   * @throws `checksum-mismatch` for a file that is not whole; `unavailable`, `aborted`, `permission-denied`
   */
  backup(options?: TransferOptions): AsyncIterable<Uint8Array>

  /**
   * Replaces all that the cluster holds by a SQLite file, which every node keeps in memory while it is loaded. Nothing
   * else should write meanwhile.
   *
   * @throws `checksum-mismatch` for what is no whole SQLite file, `unavailable`, `permission-denied` where nothing
   *   happened; `pending` where that is unknown
   */
  load(file: AsyncIterable<Uint8Array>, options?: TransferOptions): Promise<void>

  /** A text that is another one after each change, whoever made it. Needs the permission `status`. */
  state(options?: TransferOptions): Promise<string>
}

/**
 * Records on rqlite, version 8 or later.
 *
 * Writes go to the leader, and concurrent ones share a request. A leader that dies or freezes is found again by
 * itself; with an `id` a batch then still happens exactly once. Reads hold what this client has written unless they
 * ask for less.
 *
 * @throws `invalid-argument` for options that are missing, unknown or no such thing, and for a password in a URL
 * @example
 * ```ts
 * const engine = rqlite({
 *   url: ['http://10.0.0.1:4001', 'http://10.0.0.2:4001', 'http://10.0.0.3:4001'],
 *   auth: { username: 'app', password: process.env.RQLITE_PASSWORD! },
 * })
 * await engine.batch([['INSERT INTO notes (id, text) VALUES (?, ?)', ulid(), 'hello']], { id: ulid() })
 * ```
 */
export function rqlite(options: RqliteOptions): RqliteEngine {
  return new Rqlite(readOptions(options))
}

type Level = 'none' | 'weak' | 'linearizable'

class Rqlite implements RqliteEngine {
  readonly name = 'rqlite'
  readonly types: ColumnTypes = { integer: 'INTEGER', real: REAL_TYPE, text: 'TEXT', blob: 'BLOB' }
  readonly jsonArray = 'json_array'
  readonly textHoldsNul = true
  private readonly settings: Settings
  private readonly session = new Session()
  private readonly cluster: Cluster
  private readonly writes: WriteQueue
  private readonly queries = new TypedQueries((answer, statements) =>
    checkResults('query', answer, statements),
  )
  private closing: Promise<void> | undefined

  constructor(settings: Settings) {
    this.settings = settings
    this.cluster = new Cluster(settings, node => this.session.lost(node))
    this.writes = new WriteQueue(this.cluster, this.session, settings, this.types, ids => this.states(ids))
  }

  async batch(statements: readonly Statement[], options: BatchOptions = {}): Promise<BatchResult> {
    this.assertOpen('batch')
    assertBatch(statements, options, RQLITE)
    if (statements.length === 0 && options.id === undefined) return { applied: true, results: [] }
    return this.writes.add(new BatchMember(statements, options, this.settings.now()), options)
  }

  async query(statement: Statement, options: QueryOptions = {}): Promise<readonly Row[]> {
    this.assertOpen('query')
    assertQueryOptions('query', options, this)
    assertReads(statement, RQLITE)
    const { consistency = 'session' } = options
    const { signal, timeoutMs } = options
    const limited = signal !== undefined || timeoutMs !== undefined
    const ends = new ReadEnds(limited ? { signal, timeoutMs } : undefined, this.settings)
    try {
      return await this.queries.run(statement, async body => {
        return (await this.reply(body, consistency, ends)).answer
      })
    } finally {
      ends.clear()
    }
  }

  async outcome(id: string, options: QueryOptions = {}): Promise<boolean | undefined> {
    this.assertOpen('outcome')
    assertQueryOptions('outcome', options, this)
    assertId('outcome', id, this)
    try {
      const [row] = await this.query(askOperation(id), { ...options, consistency: 'linearizable' })
      return row === undefined ? undefined : row.state === 2n
    } catch (error) {
      if (isNoTable(error)) return undefined
      throw error
    }
  }

  async forget(before: number): Promise<number> {
    this.assertOpen('forget')
    const statement = forgetting(before, this)
    try {
      const { results } = await this.batch([statement])
      return results![0]!.changes
    } catch (error) {
      if (isNoTable(error)) return 0
      throw error
    }
  }

  join(): JoinedTransaction {
    throw unsupported(
      'join',
      'rqlite',
      'rqlite has no interactive transactions; give your own rows as `also`',
    )
  }

  async *backup(options: TransferOptions = {}): AsyncGenerator<Uint8Array> {
    this.assertOpen('backup')
    yield* backupFile(await this.leader(options), this.settings, options)
  }

  async load(file: AsyncIterable<Uint8Array>, options: TransferOptions = {}): Promise<void> {
    this.assertOpen('load')
    const leader = await this.leader(options)
    // From here on nothing holds of what was known: another history may follow.
    this.session.doubt()
    await loadFile(leader, this.settings, file, options).finally(() => this.session.doubt())
  }

  async state(options: TransferOptions = {}): Promise<string> {
    this.assertOpen('state')
    return appliedIndex(await this.leader(options), this.settings, options)
  }

  close(): Promise<void> {
    this.closing ??= this.writes.drain().then(() => this.cluster.close())
    return this.closing
  }

  /** Who leads, by its own word. A file goes to nobody else: its body can't be sent a second time. */
  private async leader({ signal }: TransferOptions): Promise<string> {
    const ends = new ReadEnds(signal && { signal, timeoutMs: undefined }, this.settings)
    try {
      return (await this.reply('["SELECT 1"]', 'linearizable', ends)).node
    } finally {
      ends.clear()
    }
  }

  private async states(ids: readonly string[]): Promise<Map<string, bigint>> {
    const marks = ids.map(() => '?').join(', ')
    try {
      const rows = await this.query(
        [`SELECT id, state FROM stowage_operations WHERE id IN (${marks})`, ...ids],
        {
          consistency: 'linearizable',
        },
      )
      return new Map(rows.map(row => [row.id as string, row.state as bigint]))
    } catch (error) {
      if (isNoTable(error)) return new Map()
      throw error
    }
  }

  /** Tries until it is answered or the time is over: a read may be sent as often as one likes. */
  private async reply(
    body: string,
    consistency: NonNullable<QueryOptions['consistency']>,
    ends: ReadEnds,
  ): Promise<{ node: string; answer: Answer }> {
    for (let attempt = 1; ; attempt++) {
      const level = LEVELS[consistency] ?? this.session.level
      const { home, moment } = this.session
      try {
        const { node, text } = await this.ask(body, level, ends.signal)
        const answer = parseAnswer(text)
        // Another one leads: it may not yet hold what this client has written.
        const elsewhere = level === 'weak' && home !== undefined && node !== home
        if (elsewhere) this.session.lost(home)
        else if (answer.error !== undefined) throw topLevelError('query', answer.error)
        if (level === 'linearizable') this.session.confirm(node, moment)
        if (!elsewhere) return { node, answer }
      } catch (error) {
        if (error instanceof StorageError) throw error
        await ends.again(error, this.cluster.backoffMs(attempt))
      }
    }
  }

  private ask(body: string, level: Level, signal: AbortSignal | undefined): Promise<Reply> {
    const { freshnessMs } = this.settings
    const freshness = level === 'none' && freshnessMs !== undefined ? `&freshness=${freshnessMs}ms` : ''
    const redirect = level === 'none' ? '' : '&redirect'
    return this.cluster.ask({
      operation: 'query',
      path: `/db/query?level=${level}${redirect}${freshness}`,
      body,
      to: level === 'none' ? 'nearest' : 'leader',
      signal,
    })
  }

  private assertOpen(operation: string): void {
    if (this.closing !== undefined) throw failure('invalid-argument', operation, 'the engine has been closed')
  }
}

const LEVELS: Readonly<Record<string, Level | undefined>> = { stale: 'none', linearizable: 'linearizable' }

function isNoTable(error: unknown): boolean {
  return isStorageError(error, 'invalid-argument') && /no such table: stowage_operations/.test(error.message)
}
