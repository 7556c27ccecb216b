import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { eitherSignal } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import { ownerState, PROCESS_OWNER } from '../core/process-owner.ts'
import type { Engine, Statement } from '../sql/engine.ts'
import { CLAIMS, prepareClaims } from './jobs/range-claim.ts'

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
  claim: RunClaim,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { engine, name, signal, holder = runHolder(), leaseMs = LEASE_MS } = claim
  const sleep = claim.sleep ?? ((ms, until) => delay(ms, undefined, { signal: until }))
  // A beat keeps no process alive.
  const rest = claim.sleep ?? ((ms, until) => delay(ms, undefined, { signal: until, ref: false }))
  const elapsed = claim.elapsed ?? (() => performance.now())
  const id = `run of ${name}`
  await prepareClaims({ engine })
  await take()
  const [lost, over] = [new AbortController(), new AbortController()]
  const beating = beat()
  try {
    return await work(eitherSignal(signal, lost.signal))
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error
  } finally {
    over.abort()
    await beating
    // One that stays is free after its time.
    await changed([`DELETE FROM ${CLAIMS} WHERE id = ? AND holder = ?`, id, holder]).catch(() => {})
  }

  async function take(): Promise<void> {
    let seen: { holder: string; beat: bigint } | undefined
    for (const since = elapsed(); ; ) {
      const free: Statement = [
        `INSERT INTO ${CLAIMS} (id, holder, beat) SELECT ?, ?, 0 WHERE 1 = 1 ON CONFLICT (id) DO NOTHING`,
        id,
        holder,
      ]
      if (await changed(free)) return
      const [row] = await engine.query([`SELECT holder, beat FROM ${CLAIMS} WHERE id = ?`, id], {
        consistency: 'linearizable',
      })
      if (row === undefined) continue
      const now = { holder: String(row.holder), beat: row.beat as bigint }
      // An answer that was lost.
      if (now.holder === holder) return
      seen ??= now
      if (now.holder !== seen.holder || now.beat !== seen.beat) throw busy(now.holder)
      const isDead = ownerState(now.holder.split(' ')[0]!) === 'ended'
      if (isDead || elapsed() - since >= leaseMs) {
        const left: Statement = [
          `UPDATE ${CLAIMS} SET holder = ?, beat = 0 WHERE id = ? AND holder = ? AND beat = ?`,
          holder,
          id,
          now.holder,
          now.beat,
        ]
        if (await changed(left)) return
      }
      await sleep(leaseMs / 12, signal)
    }
  }

  async function beat(): Promise<void> {
    while (!over.signal.aborted) {
      await rest(leaseMs / 6, over.signal).catch(() => {})
      if (over.signal.aborted) return
      const mine: Statement = [`UPDATE ${CLAIMS} SET beat = beat + 1 WHERE id = ? AND holder = ?`, id, holder]
      // A database that does not answer for a moment takes nothing away.
      if (await changed(mine).catch(() => true)) continue
      return lost.abort(
        conflict(
          'another process has taken this migration over, since this one was silent for long; nothing is lost, and what is copied is written down',
        ),
      )
    }
  }

  async function changed(statement: Statement): Promise<boolean> {
    const { results } = await engine.batch([statement])
    return (results?.[0]?.changes ?? 0) > 0
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
