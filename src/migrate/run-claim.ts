import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../core/errors.ts'
import { ownerState, PROCESS_OWNER } from '../core/process-owner.ts'
import type { Engine } from '../sql/engine.ts'
import { Claim, prepareClaims, type SeenClaim } from './claim.ts'

export interface RunClaim {
  readonly engine: Engine
  /** The migration's. */
  readonly name: string
  readonly signal: AbortSignal
  /** This process and this run of it, as `runHolder` makes it. */
  readonly holder?: string
  /** A claim whose beat has stood still for so long is nobody's. */
  readonly leaseMs?: number
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** Milliseconds that only ever grow. */
  readonly elapsed?: () => number
}

const LEASE_MS = 6_000
let runs = 0

/** Who is at it: for the database, and in the message for who else wants to be. */
export function runHolder(): string {
  return `${PROCESS_OWNER} ${++runs} process ${process.pid} on ${hostname()}`
}

/**
 * Runs `work` unless another process runs this migration as a whole: both would plan the same and copy everything twice. It does no harm
 * where that is not seen, so this process goes on where its beat is late; only where somebody else has taken the claim it ends.
 *
 * A claim is left by a process that was killed. On this machine that is seen at once; else its beat is watched for some seconds.
 *
 * @throws what `work` throws; `conflict`, not retryable, with who is at it
 */
export async function withRunClaim<Result>(
  run: RunClaim,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { engine, name, signal, holder = runHolder(), leaseMs = LEASE_MS } = run
  const sleep = run.sleep ?? ((ms, until) => delay(ms, undefined, { signal: until }))
  // A beat keeps no process alive.
  const rest = run.sleep ?? ((ms, until) => delay(ms, undefined, { signal: until, ref: false }))
  const elapsed = run.elapsed ?? (() => performance.now())
  const claim = new Claim(engine, `run of ${name}`, holder)
  await prepareClaims({ engine })
  await take()
  return claim.during(signal, work, async (over, lose) => {
    while (!over.aborted) {
      await rest(leaseMs / 6, over).catch(() => {})
      if (over.aborted) return
      // A database that does not answer for a moment takes nothing away.
      if (await claim.beat().catch(() => true)) continue
      return lose(
        conflict(
          'another process has taken this migration over, since this one was silent for long; nothing is lost, and what is copied is written down',
        ),
      )
    }
  })

  async function take(): Promise<void> {
    let seen: SeenClaim | undefined
    for (const since = elapsed(); ; ) {
      if (await claim.enter()) return
      const now = await claim.seen()
      if (now === undefined) continue
      // An answer that was lost.
      if (now.holder === holder) return
      seen ??= now
      if (now.holder !== seen.holder || now.beat !== seen.beat) throw busy(now.holder)
      const isDead = ownerState(now.holder.split(' ')[0]!) === 'ended'
      if ((isDead || elapsed() - since >= leaseMs) && (await claim.takeOver(now))) return
      await sleep(leaseMs / 12, signal)
    }
  }
}

function busy(holder: string): StorageError {
  const who = holder.split(' ').slice(2).join(' ') || holder
  return conflict(
    `another run is at this migration, ${who}; wait for its end, or say beside (--beside) to run all the same: what both find is then copied twice`,
  )
}

function conflict(problem: string): StorageError {
  return new StorageError('conflict', `migrate: ${problem}`, { operation: 'migrate', retryable: false })
}
