import { compareSides, type Difference } from './compare-sides.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { DIFFERENCES } from './cut-over-tables.ts'
import { isMutable, isStaging } from './key-kinds.ts'
import { mayHold, objectRow } from './object-rows.ts'
import type { ReadDifference } from './read-difference.ts'

/**
 * Some reads are made a second time, of both sides and in the background, and what differs is written down. No read waits for it: there
 * are never more than a few, and what comes meanwhile is not compared.
 */
export class CompareReads {
  readonly #set: CutOverSet
  readonly #underWay = new Set<Promise<void>>()

  constructor(set: CutOverSet) {
    this.#set = set
  }

  consider(key: string): void {
    const { share, atOnce } = this.#set.settings.compare
    if (this.#underWay.size >= atOnce || this.#set.random() >= share || isStaging(key) || isMutable(key))
      return
    const task = this.#compare(key)
      .catch(error =>
        this.#set.emit({ kind: 'compare-failed', key, error: this.#set.error(error, 'compare', key) }),
      )
      .finally(() => this.#underWay.delete(task))
    this.#underWay.add(task)
  }

  /** Ends when those under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #compare(key: string): Promise<void> {
    const set = this.#set
    const found = await compareSides(set, key, set.settings.compare.content ? 'content' : 'attributes')
    if (found === undefined || found === 'missing-source' || found === 'missing-both') return
    const row = await objectRow(set, key)
    // Deleted meanwhile, or known to be owed: no difference, but work to do.
    if (row?.gone || (found === 'missing-destination' && row !== undefined && row.to !== 'held')) return
    const difference: Difference =
      found === 'missing-destination'
        ? {
            key,
            kind: 'missing',
            detail: mayHold(row, 'to') ? 'written down as held, and not there' : 'never copied',
          }
        : found
    await writeDifference(set, { ...difference, at: set.now() })
  }
}

/** One for each object: the last that was seen. */
export async function writeDifference(set: CutOverSet, difference: ReadDifference): Promise<void> {
  const { key, kind, detail, at } = difference
  await set.write([
    [
      `INSERT INTO ${DIFFERENCES} (name, key, kind, detail, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name, key) DO UPDATE SET kind = excluded.kind, detail = excluded.detail, at = excluded.at`,
      set.name,
      key,
      kind,
      detail,
      BigInt(Math.round(at)),
    ],
  ])
  set.emit({ kind: 'difference', difference })
}

export async function* differences(set: CutOverSet): AsyncGenerator<ReadDifference> {
  await set.ready()
  for (let after = ''; ; ) {
    const rows = await set.query([
      `SELECT key, kind, detail, at FROM ${DIFFERENCES} WHERE name = ? AND key > ? ORDER BY key LIMIT 500`,
      set.name,
      after,
    ])
    for (const row of rows)
      yield {
        key: String(row.key),
        kind: row.kind as ReadDifference['kind'],
        detail: String(row.detail),
        at: Number(row.at),
      }
    if (rows.length < 500) return
    after = String(rows.at(-1)!.key)
  }
}

export async function forgetDifferences(set: CutOverSet): Promise<void> {
  await set.ready()
  await set.write([[`DELETE FROM ${DIFFERENCES} WHERE name = ?`, set.name]])
}
