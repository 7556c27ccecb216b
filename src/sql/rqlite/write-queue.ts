/**
 * Batches on their way to the leader, several in one request while others are under way. Each is told its own result:
 * a request is one transaction, so where a member of it fails, that member gets its error and the others are sent again.
 */
import { deadline, endedError } from '../../core/deadline.ts'
import { isStorageError, StorageError } from '../../core/errors.ts'
import { type BatchOptions, type BatchResult, operationsTable } from '../engine.ts'
import { type Answer, parseAnswer } from './answer-json.ts'
import type { BatchMember } from './batch-member.ts'
import type { Cluster } from './cluster.ts'
import { checkResults, failure, topLevelError, Unknown } from './failures.ts'
import { NoAnswer } from './http-pool.ts'
import type { Settings } from './options.ts'
import type { Session } from './session.ts'

/** A member and whoever waits for it. */
interface Waiting {
  readonly member: BatchMember
  /** Forgets the timer and the caller's signal. */
  clear: () => void
  readonly resolve: (result: BatchResult) => void
  readonly reject: (error: unknown) => void
  settled: boolean
  /** Whether it may happen, or have happened: under way, or sent before with no answer. */
  underWay: boolean
  unsure: boolean
  /** Why it still waits. */
  problem: unknown
  /** Goes in a request of its own: a group that it was in failed for a reason that names nobody. */
  alone: boolean
}

/** States of operations by their ids, asked linearizably. */
export type AskStates = (ids: readonly string[], signal?: AbortSignal) => Promise<Map<string, bigint>>

// Without norw… rqlite would print statements anew that mention a time function; what differs by node is refused here.
const PATH = '/db/execute?transaction&redirect&blob_array&norwrandom&norwtime'
/**
 * Requests under way at once. With one, groups are larger: that gave 5 to 15 % more than four on three nodes, at 16 and
 * at 64 callers. And batches of one client happen in the order in which they were asked for.
 */
const MAX_REQUESTS = 1
const MAX_GROUP_BYTES = 1024 * 1024

export class WriteQueue {
  private readonly cluster: Cluster
  private readonly session: Session
  private readonly settings: Settings
  private readonly askStates: AskStates
  private readonly types: Parameters<typeof operationsTable>[0]
  private waiting: Waiting[] = []
  private requests = 0
  private scheduled = false
  private pausing = false
  private failures = 0
  /** Statements of one request at most: less while members make their groups fail. */
  private limit: number
  private idle: (() => void) | undefined

  constructor(
    cluster: Cluster,
    session: Session,
    settings: Settings,
    types: Parameters<typeof operationsTable>[0],
    askStates: AskStates,
  ) {
    this.cluster = cluster
    this.session = session
    this.settings = settings
    this.types = types
    this.askStates = askStates
    this.limit = settings.groupMax
  }

  add(member: BatchMember, options: BatchOptions): Promise<BatchResult> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        member,
        resolve,
        reject,
        clear: () => {},
        settled: false,
        underWay: false,
        unsure: false,
        problem: undefined,
        alone: false,
      }
      this.limitTime(waiting, options)
      this.waiting.push(waiting)
      this.schedule()
    })
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    if (this.requests > 0 || this.waiting.length > 0)
      await new Promise<void>(resolve => (this.idle = resolve))
  }

  /** Not at once: what is called in the same turn of the event loop goes together. */
  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.pump()
    })
  }

  private pump(): void {
    while (!this.pausing && this.requests < MAX_REQUESTS && this.waiting.length > 0) {
      this.requests++
      void this.send(this.nextGroup()).finally(() => {
        this.requests--
        this.schedule()
      })
    }
    if (this.requests === 0 && this.waiting.length === 0) this.idle?.()
  }

  private nextGroup(): Waiting[] {
    let size = 0
    let bytes = 0
    let count = 0
    for (const { member, alone } of this.waiting) {
      size += member.size
      bytes += member.body.length
      if (count > 0 && (alone || size > this.limit || bytes > MAX_GROUP_BYTES)) break
      count++
      if (alone) break
    }
    return this.waiting.splice(0, count)
  }

  private async send(group: Waiting[]): Promise<void> {
    for (const one of group) one.underWay = true
    this.session.writes()
    const { moment } = this.session
    const body = `[${group.map(({ member }) => member.body).join(',')}]`
    try {
      const { node, text } = await this.cluster.ask({ operation: 'batch', path: PATH, body, to: 'leader' })
      const answer = parseAnswer(text)
      if (answer.error === undefined) this.session.confirm(node, moment)
      this.failures = 0
      await this.settle(group, answer)
    } catch (error) {
      await this.failed(group, error)
    }
  }

  private async settle(group: Waiting[], answer: Answer): Promise<void> {
    if (answer.error !== undefined) throw topLevelError('batch', answer.error)
    const results = answer.results ?? []
    const failedAt = results.findIndex(result => result.error !== undefined)
    if (failedAt !== -1) return this.settleFailed(group, failedAt, results[failedAt]!.error!)
    const size = group.reduce((sum, { member }) => sum + member.size, 0)
    if (results.length !== size) throw new Unknown(`${results.length} results to ${size} statements`)
    this.limit = Math.min(this.settings.groupMax, this.limit * 2)
    const asked: Waiting[] = []
    let from = 0
    for (const one of group) {
      const own = results.slice(from, from + one.member.size)
      from += one.member.size
      try {
        const meaning = one.member.meaningOf(own)
        if (meaning === 'ask') asked.push(one)
        else this.resolve(one, meaning)
      } catch (error) {
        this.reject(one, error)
      }
    }
    if (asked.length > 0) await this.resolveById(asked)
  }

  /** One statement failed, and with it the transaction: nothing of the whole group has happened. */
  private async settleFailed(group: Waiting[], failedAt: number, said: string): Promise<void> {
    if (/^no such table: (?:main\.)?stowage_operations$/.test(said)) {
      await this.cluster.ask({
        operation: 'batch',
        path: PATH,
        body: JSON.stringify([operationsTable(this.types)]),
        to: 'leader',
      })
      return this.again(group)
    }
    let own = failedAt
    let index = 0
    for (; own >= group[index]!.member.size; index++) own -= group[index]!.member.size
    const culprit = group[index]!
    const meaning = culprit.member.meaningOfError(own, said)
    if (group.length > 1) this.limit = Math.max(1, this.limit >> 1)
    this.again(group.filter(one => one !== culprit))
    if (meaning === 'ask') return this.resolveById([culprit])
    if (culprit.unsure && !(await this.bury(culprit))) return this.reject(culprit, lostAnswer(culprit))
    if (meaning instanceof Error) this.reject(culprit, meaning)
    else this.resolve(culprit, meaning)
  }

  private async failed(group: Waiting[], error: unknown): Promise<void> {
    if (error instanceof StorageError) {
      // What is wrong with one may have spoilt the request of all, except for a user who may not write at all.
      const oneForAll = isStorageError(error, 'unauthenticated', 'permission-denied', 'unavailable')
      if (group.length === 1 || oneForAll) return this.rejectAll(group, () => error)
      for (const one of group) one.alone = true
      return this.again(group)
    }
    for (const one of group) one.problem = error
    if (
      error instanceof Unknown ||
      (error instanceof NoAnswer && error.sent) ||
      error instanceof SyntaxError
    ) {
      this.session.doubt()
      for (const one of group) one.unsure = true
      return this.resolveById(group)
    }
    this.again(group)
    this.pausing = true
    await this.settings.wait(this.cluster.backoffMs(++this.failures))
    this.pausing = false
  }

  /** Asks what became of them. What has not happened is sent again: with its id it can't happen twice. */
  private async resolveById(group: readonly Waiting[]): Promise<void> {
    this.rejectAll(
      group.filter(({ member }) => member.id === undefined),
      lostAnswer,
    )
    let open = group.filter(one => !one.settled)
    for (let attempt = 1; open.length > 0; attempt++) {
      try {
        const states = await this.askStates(open.map(({ member }) => member.id!))
        for (const one of open) {
          const state = states.get(one.member.id!)
          if (state !== undefined) this.resolve(one, { applied: state === 2n, results: undefined })
        }
        return this.again(open)
      } catch (error) {
        if (isStorageError(error, 'unauthenticated', 'permission-denied'))
          return this.rejectAll(open, lostAnswer)
        for (const one of open) one.problem = error
        await this.settings.wait(this.cluster.backoffMs(attempt))
      }
      open = open.filter(one => !one.settled)
    }
  }

  /**
   * It was refused now, but an earlier try of it may still lie somewhere. Its id is taken, as that of a batch that did
   * not happen, before anyone is told so.
   */
  private async bury({ member }: Waiting): Promise<boolean> {
    const sql =
      'INSERT INTO stowage_operations (id, state, at) SELECT ?, 0, ? WHERE 1 = 1 ON CONFLICT (id) DO NOTHING'
    const body = JSON.stringify([[sql, member.id, this.settings.now()]])
    try {
      const { text } = await this.cluster.ask({ operation: 'batch', path: PATH, body, to: 'leader' })
      checkResults('batch', parseAnswer(text), 1)
      return true
    } catch {
      return false
    }
  }

  /** Before those that wait: they have waited longer. */
  private again(group: readonly Waiting[]): void {
    const open = group.filter(one => !one.settled)
    for (const one of open) one.underWay = false
    this.waiting.unshift(...open)
  }

  private resolve(one: Waiting, result: BatchResult): void {
    if (one.settled) return
    one.settled = true
    one.clear()
    one.resolve(result)
  }

  private reject(one: Waiting, error: unknown): void {
    if (one.settled) return
    one.settled = true
    one.clear()
    one.reject(error)
  }

  private rejectAll(group: readonly Waiting[], error: (one: Waiting) => unknown): void {
    for (const one of group) this.reject(one, error(one))
  }

  /** The caller waits no longer, or the time is over. */
  private limitTime(one: Waiting, { signal, timeoutMs }: BatchOptions): void {
    if (signal !== undefined || timeoutMs !== undefined) {
      const ends = deadline(
        { timeoutMs: timeoutMs ?? this.settings.deadlineMs, ...(signal && { signal }) },
        'batch',
        'rqlite',
      )
      const ended = ends.signal!
      ended.addEventListener('abort', () => this.expire(one, endedError(ended, 'batch', 'rqlite')))
      one.clear = ends.clear
      return
    }
    // No signal where nobody asks for one: it would cost as much as the rest of a grouped batch.
    const { deadlineMs } = this.settings
    const timer = setTimeout(
      () => this.expire(one, failure('timeout', 'batch', `timed out, no end after ${deadlineMs} ms`)),
      deadlineMs,
    )
    one.clear = () => clearTimeout(timer)
  }

  private expire(one: Waiting, ended: StorageError): void {
    this.waiting = this.waiting.filter(other => other !== one)
    this.reject(one, one.underWay || one.unsure ? lostAnswer(one) : neverSent(one, ended))
  }
}

function neverSent({ problem }: Waiting, ended: StorageError): StorageError {
  if (ended.code === 'aborted' || !(problem instanceof Error)) return ended
  return failure('unavailable', 'batch', `${problem.message}; nothing happened`, { cause: problem })
}

function lostAnswer({ member, problem }: Waiting): StorageError {
  const way =
    member.id === undefined ? 'give batches an id to have this resolved' : `ask for outcome('${member.id}')`
  return failure('pending', 'batch', `it is unknown whether the batch happened; ${way}`, { cause: problem })
}
