import { StorageError } from '../../core/errors.ts'
import { HELD, type Statement } from '../../sql/engine.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { CONTROL, PROCESSES } from './cut-over-tables.ts'
import { type PhaseRules, rulesOf } from './phase.ts'

/** One operation under the phase that it began in. */
export interface Turn {
  readonly rules: PhaseRules
  /** By its number. */
  readonly phase: number
  /**
   * A condition for batches: only while this process is one of those that a change of phase waits for. What was begun before it was
   * given up never gets through, however late it comes.
   */
  readonly fence: Statement
  /** What a batch about these keys takes beside its fence: taking this process's row away waits for it. */
  locks(...keys: readonly string[]): string[]
  /** Before an effect on bytes. @throws `unavailable` where the lease has run out */
  assertHeld(operation: string): void
  /** The error for who was refused by the fence. This process begins again with its next operation. */
  refused(operation: string, key: string): StorageError
  end(): void
}

/** So many batches of one process run at once on PostgreSQL, where each has to hold off who takes its row away. */
const HOLDER_LOCKS = 8

/**
 * Locks of all batches that a process fences: who takes its row away takes them. PostgreSQL would let a batch commit later that has seen the
 * row before; the other engines run one batch at a time anyway.
 */
export function holderLocks(set: CutOverSet, id: string): string[] {
  return Array.from({ length: HOLDER_LOCKS }, (_, number) => holderLock(set, id, number))
}

function holderLock(set: CutOverSet, id: string, number: number): string {
  return `stowage_cut_over_holder:${set.name}:${id}:${number}`
}

interface Held {
  readonly id: string
  phase: number
}

/**
 * This process's lease on a phase. A row says which phase it holds; a beat that goes on says that it lives. Who changes the phase waits
 * until all rows have it, or takes away a row whose beat was the same for the lease's time as seen from there. No clock of another machine
 * is believed: this side counts the time from before it sent its last beat, so it stops writing before anybody gives it up.
 */
export class PhaseLease {
  readonly #set: CutOverSet
  readonly #closed = new AbortController()
  /** Operations under way that began in a phase, and who waits for their end. */
  readonly #underWay = new Map<number, number>()
  #drained: (() => void)[] = []
  #held: Held | undefined
  #renewedAt = Number.NEGATIVE_INFINITY
  #renewing: Promise<void> | undefined
  #switching: Promise<void> | undefined
  #isBeating = false
  #batches = 0

  constructor(set: CutOverSet) {
    this.#set = set
  }

  /**
   * Begins an operation. A process that could not renew its lease in time tries now; if it can't, it must not write, and reads as in
   * the phase that it knew last.
   */
  async begin(operation: string, writes: boolean): Promise<Turn> {
    if (!this.#isFresh())
      await this.renew().catch(error => {
        if (this.#held === undefined) throw error
        if (writes) throw this.#notHeld(operation, error)
      })
    const { id, phase } = this.#held!
    if (writes) this.#underWay.set(phase, (this.#underWay.get(phase) ?? 0) + 1)
    let ended = !writes
    return {
      rules: rulesOf(phase),
      phase,
      fence: [`SELECT 1 FROM ${PROCESSES} WHERE name = ? AND id = ?`, this.#set.name, id],
      locks: (...keys) => [
        ...this.#set.locks(...keys),
        holderLock(this.#set, id, this.#batches++ % HOLDER_LOCKS),
      ],
      assertHeld: about => {
        if (!this.#isFresh() || this.#held?.id !== id) throw this.#notHeld(about)
      },
      refused: (about, key) => {
        if (this.#held?.id === id) this.#renewedAt = Number.NEGATIVE_INFINITY
        return new StorageError(
          'unavailable',
          `${about}: a change of the cut-over's phase has given this process up while it worked; try again`,
          { operation: about, key, retryable: true },
        )
      },
      end: () => {
        if (ended) return
        ended = true
        this.#underWay.set(phase, this.#underWay.get(phase)! - 1)
        for (const look of this.#drained) look()
      },
    }
  }

  /** One beat; a phase that has changed is taken. Calls at once share one. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  /** Resolves when this process holds the phase that is the cut-over's. */
  async settled(): Promise<void> {
    await this.renew()
    await this.#switching
  }

  async close(): Promise<void> {
    this.#closed.abort()
    const held = this.#held
    this.#held = undefined
    if (held === undefined) return
    const { name } = this.#set
    // One that stays is taken away by whoever changes the phase.
    await this.#set
      .write([[`DELETE FROM ${PROCESSES} WHERE name = ? AND id = ?`, name, held.id]], {
        locks: holderLocks(this.#set, held.id),
      })
      .catch(() => {})
  }

  #isFresh(): boolean {
    return this.#held !== undefined && this.#set.monotonic() - this.#renewedAt < this.#set.settings.leaseMs
  }

  async #renew(): Promise<void> {
    const set = this.#set
    await set.ready()
    const before = set.monotonic()
    if (this.#held !== undefined && !(await this.#beat(this.#held))) {
      const phase = await this.#register()
      set.emit({ kind: 'lease-lost', phase: rulesOf(phase).phase })
    } else if (this.#held === undefined) await this.#register()
    this.#renewedAt = before
    if (!this.#isBeating) {
      this.#isBeating = true
      void this.#goOn()
    }
  }

  /** Whether the row was there still. */
  async #beat(held: Held): Promise<boolean> {
    const set = this.#set
    const { results } = await set.write([
      [`UPDATE ${PROCESSES} SET beat = beat + 1 WHERE name = ? AND id = ?`, set.name, held.id],
    ])
    const [row] = await set.query([
      `SELECT phase, (SELECT COUNT(*) FROM ${PROCESSES} WHERE name = ? AND id = ?) AS mine FROM ${CONTROL} WHERE name = ?`,
      set.name,
      held.id,
      set.name,
    ])
    if (results?.[0]?.changes === 0 || row === undefined || Number(row.mine) === 0) return false
    if (Number(row.phase) !== held.phase) this.#switching ??= this.#switch(held, Number(row.phase))
    return true
  }

  async #register(): Promise<number> {
    const set = this.#set
    // A new id each time: what an earlier row has fenced stays refused.
    const id = `${set.owner}/${set.newId()}`
    const batch = `${id}:phase`
    await set.batch(
      [
        [
          `INSERT INTO ${PROCESSES} (name, id, phase, beat) SELECT name, ?, phase, 0 FROM ${CONTROL} WHERE name = ? AND ${HELD}`,
          id,
          set.name,
          batch,
        ],
      ],
      { id: batch, locks: set.locks('phase') },
    )
    const [row] = await set.query([`SELECT phase FROM ${PROCESSES} WHERE name = ? AND id = ?`, set.name, id])
    if (row === undefined) throw this.#notHeld('cutOver')
    const phase = Number(row.phase)
    this.#held = { id, phase }
    return phase
  }

  /** New operations begin in the new phase at once; the row says so when the last one of the old phase has ended. */
  async #switch(held: Held, phase: number): Promise<void> {
    const set = this.#set
    const old = held.phase
    held.phase = phase
    try {
      await this.#ended(old)
      await set.write([
        [`UPDATE ${PROCESSES} SET phase = ? WHERE name = ? AND id = ?`, BigInt(phase), set.name, held.id],
      ])
      set.emit({ kind: 'phase', phase: rulesOf(phase).phase })
    } catch (error) {
      // The row says the old phase still: the next beat does it again.
      held.phase = old
      set.emit({ kind: 'lease-not-renewed', error: set.error(error, 'cutOver') })
    } finally {
      this.#switching = undefined
    }
  }

  #ended(phase: number): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if ((this.#underWay.get(phase) ?? 0) > 0) return
        this.#drained = this.#drained.filter(other => other !== look)
        resolve()
      }
      this.#drained.push(look)
      look()
    })
  }

  async #goOn(): Promise<void> {
    const set = this.#set
    for (;;) {
      await set.rest(set.settings.beatMs, this.#closed.signal).catch(() => {})
      if (this.#closed.signal.aborted) return
      await this.renew().catch(error =>
        set.emit({ kind: 'lease-not-renewed', error: set.error(error, 'cutOver') }),
      )
    }
  }

  #notHeld(operation: string, cause?: unknown): StorageError {
    return new StorageError(
      'unavailable',
      `${operation}: this process could not renew its lease on the phase of the cut-over, so it does not write; try again`,
      { operation, retryable: true, ...(cause === undefined ? {} : { cause }) },
    )
  }
}
