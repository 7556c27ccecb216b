import { StorageError } from '../../core/errors.ts'
import type { Engine } from '../../sql/engine.ts'
import { Claim, type SeenClaim } from '../claim.ts'

export interface ClaimSettings {
  readonly engine: Engine
  /** A claim whose beat has stood still for so long is free. */
  readonly leaseMs: number
  readonly newId: () => string
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** Milliseconds that only ever grow. */
  readonly elapsed: () => number
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
  const claim = new Claim(engine, id, holder)
  let renewed = await take(claim, holder, settings, signal)
  return claim.during(signal, work, async (over, lose) => {
    while (!over.aborted) {
      await sleep(leaseMs / 4, over).catch(() => {})
      if (over.aborted) return
      const sent = elapsed()
      // This process stood still: another one may have it, and answers take a while.
      if (sent - renewed > leaseMs) return lose(lostClaim())
      const held = await claim.beat().catch(() => undefined)
      if (held) renewed = sent
      else if (held !== undefined || elapsed() - renewed > leaseMs / 2) return lose(lostClaim())
    }
  })
}

/** Waits until the range is free. @returns the time before the claim was sent */
async function take(
  claim: Claim,
  holder: string,
  { leaseMs, sleep, elapsed }: ClaimSettings,
  signal: AbortSignal | undefined,
): Promise<number> {
  let seen: (SeenClaim & { since: number }) | undefined
  for (;;) {
    const sent = elapsed()
    if (await claim.enter()) return sent
    const now = await claim.seen()
    if (now === undefined) continue
    // An answer that was lost.
    if (now.holder === holder) return sent
    if (seen === undefined || seen.holder !== now.holder || seen.beat !== now.beat)
      seen = { ...now, since: elapsed() }
    else if (elapsed() - seen.since >= leaseMs) {
      const taken = elapsed()
      if (await claim.takeOver(now)) return taken
      seen = undefined
    }
    await sleep(leaseMs / 5, signal)
  }
}

function lostClaim(): StorageError {
  return new StorageError('conflict', 'migrate: another worker has this range by now', {
    operation: 'migrate',
    retryable: true,
  })
}
