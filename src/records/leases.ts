import { ownerState } from '../core/process-owner.ts'
import { HELD, type Row } from '../sql/engine.ts'
import type { RecordSet } from './record-set.ts'

interface Sighting {
  readonly fence: bigint
  readonly beat: bigint
  /** On this process's own monotonic clock. */
  readonly at: number
}

/** What only one process does at a time, under a name. */
export interface HeldLease {
  readonly fence: number
  /** Ends where another process has taken it over: what is under way must stop. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/**
 * Leases of one record set. One is taken over by observation: when its holder is a process of this host that has ended,
 * or its beat has been the same for the lease's time as seen from here. No clock of another machine is believed.
 */
export class Leases {
  readonly #set: RecordSet
  readonly #seen = new Map<string, Sighting>()

  constructor(set: RecordSet) {
    this.#set = set
  }

  /** The lease, with a heartbeat until it is released; undefined where somebody else may hold it. */
  async take(name: string): Promise<HeldLease | undefined> {
    const set = this.#set
    const row = await this.#row(name)
    if (row !== undefined && !this.#isFree(name, row)) return undefined
    const id = set.newId()
    // Two parts of one process have one owner: the id tells whose batch won.
    const holder = `${set.owner}/${id}`
    const leases = set.table('leases')
    const batch = `${id}:lease`
    await set.batch(
      [
        row === undefined
          ? [
              `INSERT INTO ${leases} (name, holder, fence, beat) SELECT ?, ?, 1, 0 WHERE ${HELD} ON CONFLICT (name) DO NOTHING`,
              name,
              holder,
              batch,
            ]
          : [
              `UPDATE ${leases} SET holder = ?, fence = fence + 1, beat = beat + 1 WHERE name = ? AND fence = ? AND beat = ? AND ${HELD}`,
              holder,
              name,
              row.fence as bigint,
              row.beat as bigint,
              batch,
            ],
      ],
      { id: batch },
    )
    const now = await this.#row(name)
    this.#seen.delete(name)
    return now?.holder === holder ? this.#held(name, now.fence as bigint) : undefined
  }

  async #row(name: string): Promise<Row | undefined> {
    const [row] = await this.#set.query(
      [`SELECT holder, fence, beat FROM ${this.#set.table('leases')} WHERE name = ?`, name],
      { consistency: 'linearizable' },
    )
    return row
  }

  #isFree(name: string, row: Row): boolean {
    const holder = String(row.holder)
    if (holder === '' || ownerState(holder.split('/')[0]!) === 'ended') return true
    const [fence, beat] = [row.fence as bigint, row.beat as bigint]
    const now = this.#set.monotonic()
    const seen = this.#seen.get(name)
    if (seen === undefined || seen.fence !== fence || seen.beat !== beat) {
      this.#seen.set(name, { fence, beat, at: now })
      return false
    }
    return now - seen.at >= this.#set.settings.leaseMs
  }

  #held(name: string, fence: bigint): HeldLease {
    const set = this.#set
    const leases = set.table('leases')
    const lost = new AbortController()
    const released = new AbortController()
    void beat()
    return {
      fence: Number(fence),
      lost: lost.signal,
      async release() {
        released.abort()
        await set.write([
          [`UPDATE ${leases} SET holder = '', beat = beat + 1 WHERE name = ? AND fence = ?`, name, fence],
        ])
      },
    }

    async function beat(): Promise<void> {
      for (;;) {
        await set.rest(set.settings.leaseMs / 3, released.signal).catch(() => {})
        if (released.signal.aborted) return
        try {
          const { results } = await set.write([
            [`UPDATE ${leases} SET beat = beat + 1 WHERE name = ? AND fence = ?`, name, fence],
          ])
          if (results![0]!.changes === 0) return lost.abort(new Error('another process has taken the lease'))
        } catch {
          // The database can't be reached: the next beat says whether the lease was lost meanwhile.
        }
      }
    }
  }
}
