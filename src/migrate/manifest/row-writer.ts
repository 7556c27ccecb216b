import type { Engine } from '../../sql/engine.ts'
import type { RowChange } from '../manifest.ts'
import { assertChange, rowStatements } from './row-statements.ts'
import { sendAgain } from './send-again.ts'

/** How long a change waits for others at most: a batch costs about as much as some dozens of its rows. */
const DELAY_MS = 20
/** Changes of one batch, so that neither the process nor a Raft log is held up by one. */
const MAX_CHANGES = 512

interface Waiting {
  readonly changes: readonly RowChange[]
  resolve(): void
  reject(error: unknown): void
}

/**
 * Group commit over callers: what is written within some milliseconds, or while a batch is under way, goes in one batch.
 * Changes happen in the order in which they were asked for.
 */
export class RowWriter {
  readonly #engine: Engine
  readonly #migration: bigint
  #waiting: Waiting[] = []
  #count = 0
  #timer: NodeJS.Timeout | undefined
  #sending = false

  constructor(engine: Engine, migration: bigint) {
    this.#engine = engine
    this.#migration = migration
  }

  write(changes: readonly RowChange[]): Promise<void> {
    return new Promise((resolve, reject) => {
      for (const change of changes) assertChange(change)
      if (changes.length === 0) return resolve()
      this.#waiting.push({ changes, resolve, reject })
      this.#count += changes.length
      if (this.#sending) return
      if (this.#count >= MAX_CHANGES) this.#send()
      else this.#timer ??= setTimeout(() => this.#send(), DELAY_MS)
    })
  }

  async #send(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending = true
    // What came while the batch before was under way has waited long enough.
    while (this.#waiting.length > 0) await this.#sendGroup(this.#take())
    this.#sending = false
  }

  #take(): Waiting[] {
    let count = 0
    let members = 0
    for (const { changes } of this.#waiting) {
      if (members > 0 && count + changes.length > MAX_CHANGES) break
      count += changes.length
      members++
    }
    this.#count -= count
    return this.#waiting.splice(0, members)
  }

  async #sendGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const changes = group.flatMap(member => member.changes)
      const { types } = this.#engine
      const statements = inTurns(changes).flatMap(turn => rowStatements(this.#migration, types, turn))
      // As durable as the engine is by itself. A sync of the disk for each group would hold up the whole process, and what a power
      // failure takes is found at the destination again.
      await sendAgain(this.#engine, statements)
      for (const { resolve } of group) resolve()
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}

/** A statement can't change a row twice: a row's second change is left to the next turn. */
function inTurns(changes: readonly RowChange[]): RowChange[][] {
  const turns: RowChange[][] = [[]]
  const turnOf = new Map<string, number>()
  for (const change of changes) {
    const turn = (turnOf.get(change.sourceKey) ?? -1) + 1
    turnOf.set(change.sourceKey, turn)
    const found = turns[turn]
    if (found === undefined) turns.push([change])
    else found.push(change)
  }
  return turns
}
