import { eitherSignal } from '../../core/deadline.ts'
import { StorageError } from '../../core/errors.ts'
import type { Engine, Statement } from '../../sql/engine.ts'

/** Who is at which range, or at a whole run. */
export const CLAIMS = 'stowage_migration_claims'

export interface ClaimSettings {
  readonly engine: Engine
  /** A claim whose beat has stood still for so long is free. */
  readonly leaseMs: number
  readonly newId: () => string
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** Milliseconds that only ever grow. */
  readonly elapsed: () => number
}

export async function prepareClaims({ engine }: Pick<ClaimSettings, 'engine'>): Promise<void> {
  const { text, integer } = engine.types
  await engine.batch([
    [
      `CREATE TABLE IF NOT EXISTS ${CLAIMS} (id ${text} PRIMARY KEY, holder ${text} NOT NULL, beat ${integer} NOT NULL)`,
    ],
  ])
}

/**
 * Runs `work` while this process holds the claim on a range, in the database that knows the rows: a queue may hand one job to two
 * workers, when one of them was silent for a while. No clock of another machine is believed: a claim is free when its beat was the same
 * for `leaseMs` as seen from here, and its holder gives up before that.
 *
 * @throws what `work` throws; `conflict` where the claim was lost meanwhile
 */
export async function withClaim<Result>(
  settings: ClaimSettings,
  id: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { engine, leaseMs, newId, sleep, elapsed } = settings
  const holder = newId()
  let renewed = await claim(settings, id, holder, signal)
  const lost = new AbortController()
  const over = new AbortController()
  const beating = beat()
  try {
    return await work(eitherSignal(signal, lost.signal))
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error
  } finally {
    over.abort()
    await beating
    // One that stays is free after its time.
    await change(engine, [`DELETE FROM ${CLAIMS} WHERE id = ? AND holder = ?`, id, holder]).catch(() => {})
  }

  async function beat(): Promise<void> {
    while (!over.signal.aborted) {
      await sleep(leaseMs / 4, over.signal).catch(() => {})
      if (over.signal.aborted) return
      const sent = elapsed()
      // This process stood still: another one may have it, and answers take a while.
      if (sent - renewed > leaseMs) return lost.abort(lostClaim())
      const held = await change(engine, [
        `UPDATE ${CLAIMS} SET beat = beat + 1 WHERE id = ? AND holder = ?`,
        id,
        holder,
      ]).catch(() => undefined)
      if (held) renewed = sent
      else if (held !== undefined || elapsed() - renewed > leaseMs / 2) return lost.abort(lostClaim())
    }
  }
}

/** Waits until the range is free. @returns the time before the claim was sent */
async function claim(
  { engine, leaseMs, sleep, elapsed }: ClaimSettings,
  id: string,
  holder: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  let seen: { holder: string; beat: bigint; since: number } | undefined
  for (;;) {
    const sent = elapsed()
    if (
      await change(engine, [
        `INSERT INTO ${CLAIMS} (id, holder, beat) SELECT ?, ?, 0 WHERE 1 = 1 ON CONFLICT (id) DO NOTHING`,
        id,
        holder,
      ])
    )
      return sent
    const [row] = await engine.query([`SELECT holder, beat FROM ${CLAIMS} WHERE id = ?`, id], {
      consistency: 'linearizable',
    })
    if (row === undefined) continue
    // An answer that was lost.
    if (row.holder === holder) return sent
    const now = { holder: row.holder as string, beat: row.beat as bigint }
    if (seen === undefined || seen.holder !== now.holder || seen.beat !== now.beat)
      seen = { ...now, since: elapsed() }
    else if (elapsed() - seen.since >= leaseMs) {
      const taken = elapsed()
      if (
        await change(engine, [
          `UPDATE ${CLAIMS} SET holder = ?, beat = 0 WHERE id = ? AND holder = ? AND beat = ?`,
          holder,
          id,
          now.holder,
          now.beat,
        ])
      )
        return taken
      seen = undefined
    }
    await sleep(leaseMs / 5, signal)
  }
}

/** Whether the statement changed its row. */
async function change(engine: Engine, statement: Statement): Promise<boolean> {
  const { results } = await engine.batch([statement])
  return (results?.[0]?.changes ?? 0) > 0
}

function lostClaim(): StorageError {
  return new StorageError('conflict', 'migrate: another worker has this range by now', {
    operation: 'migrate',
    retryable: true,
  })
}
