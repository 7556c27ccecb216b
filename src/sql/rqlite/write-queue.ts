/**
 * Batches on their way to the leader, several in one request while others are under way. Each is told its own result:
 * a request is one transaction, so where a member of it fails, that member gets its error and the others are sent again.
 */
import { isStorageError, StorageError } from '../../core/errors.ts'
import { type BatchOptions, type BatchResult, operationsTable } from '../engine.ts'
import { type Answer, parseAnswer } from './answer-json.ts'
import type { BatchMember } from './batch-member.ts'
import type { Cluster } from './cluster.ts'
import { execute } from './execute.ts'
import { topLevelError, Unknown } from './failures.ts'
import { NoAnswer } from './http-pool.ts'
import { type AskStates, LostAnswers } from './lost-answers.ts'
import type { Settings } from './options.ts'
import type { Session } from './session.ts'
import { WaitingBatch } from './waiting-batch.ts'

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
  private readonly lost: LostAnswers
  private readonly types: Parameters<typeof operationsTable>[0]
  private waiting: WaitingBatch[] = []
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
    this.lost = new LostAnswers(cluster, settings, askStates)
    this.limit = settings.groupMax
  }

  add(member: BatchMember, options: BatchOptions): Promise<BatchResult> {
    return new Promise((resolve, reject) => {
      const batch = new WaitingBatch(member, { resolve, reject })
      batch.limitTime(options, this.settings.deadlineMs, () => {
        this.waiting = this.waiting.filter(other => other !== batch)
      })
      this.waiting.push(batch)
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

  private nextGroup(): WaitingBatch[] {
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

  private async send(group: WaitingBatch[]): Promise<void> {
    for (const one of group) one.underWay = true
    this.session.writes()
    const { moment } = this.session
    const body = `[${group.map(({ member }) => member.body).join(',')}]`
    try {
      const { node, text } = await execute(this.cluster, body)
      const answer = parseAnswer(text)
      if (answer.error === undefined) this.session.confirm(node, moment)
      this.failures = 0
      await this.settle(group, answer)
    } catch (error) {
      await this.failed(group, error)
    }
  }

  private async settle(group: WaitingBatch[], answer: Answer): Promise<void> {
    if (answer.error !== undefined) throw topLevelError('batch', answer.error)
    const results = answer.results ?? []
    const failedAt = results.findIndex(result => result.error !== undefined)
    if (failedAt !== -1) return this.settleFailed(group, failedAt, results[failedAt]!.error!)
    const size = group.reduce((sum, { member }) => sum + member.size, 0)
    if (results.length !== size) throw new Unknown(`${results.length} results to ${size} statements`)
    this.limit = Math.min(this.settings.groupMax, this.limit * 2)
    const asked: WaitingBatch[] = []
    let from = 0
    for (const one of group) {
      const own = results.slice(from, from + one.member.size)
      from += one.member.size
      try {
        const meaning = one.member.meaningOf(own)
        if (meaning === 'ask') asked.push(one)
        else one.resolve(meaning)
      } catch (error) {
        one.reject(error)
      }
    }
    if (asked.length > 0) this.again(await this.lost.resolve(asked))
  }

  /** One statement failed, and with it the transaction: nothing of the whole group has happened. */
  private async settleFailed(group: WaitingBatch[], failedAt: number, said: string): Promise<void> {
    if (/^no such table: (?:main\.)?stowage_operations$/.test(said)) {
      await execute(this.cluster, JSON.stringify([operationsTable(this.types)]))
      return this.again(group)
    }
    let own = failedAt
    let index = 0
    for (; own >= group[index]!.member.size; index++) own -= group[index]!.member.size
    const culprit = group[index]!
    const meaning = culprit.member.meaningOfError(own, said)
    if (group.length > 1) this.limit = Math.max(1, this.limit >> 1)
    this.again(group.filter(one => one !== culprit))
    if (meaning === 'ask') return this.again(await this.lost.resolve([culprit]))
    if (culprit.unsure && !(await this.lost.bury(culprit))) return culprit.rejectAsLost()
    if (meaning instanceof Error) culprit.reject(meaning)
    else culprit.resolve(meaning)
  }

  private async failed(group: WaitingBatch[], error: unknown): Promise<void> {
    if (error instanceof StorageError) {
      // What is wrong with one may have spoilt the request of all, except for a user who may not write at all.
      const oneForAll = isStorageError(error, 'unauthenticated', 'permission-denied', 'unavailable')
      if (group.length === 1 || oneForAll) {
        for (const one of group) one.reject(error)
        return
      }
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
      return this.again(await this.lost.resolve(group))
    }
    this.again(group)
    this.pausing = true
    await this.settings.wait(this.cluster.backoffMs(++this.failures))
    this.pausing = false
  }

  /** Before those that wait: they have waited longer. */
  private again(group: readonly WaitingBatch[]): void {
    const open = group.filter(one => !one.settled)
    for (const one of open) one.underWay = false
    this.waiting.unshift(...open)
  }
}
