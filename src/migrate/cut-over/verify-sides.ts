import { mapBounded } from '../../core/batches.ts'
import type { OperationOptions } from '../../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import { allHold } from './change-phase.ts'
import { compareSides } from './compare-sides.ts'
import { type CutOverSet, isAbsent } from './cut-over-set.ts'
import { CONTROL } from './cut-over-tables.ts'
import { type Judgement, judgeObject } from './judge-object.ts'
import { isStaging } from './key-kinds.ts'
import { mergeByKey } from './merge-by-key.ts'
import { type ObjectRow, selectRows } from './object-rows.ts'
import { rulesOf } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'
import { settle } from './settle.ts'
import type { CutOverVerification, StoredVerification, VerificationProblem } from './verification.ts'

export interface VerifySidesOptions extends OperationOptions {
  /** Default `checksum`. The last verification before `retired` must be at `content`. */
  level?: VerifyLevel
  onProgress?: (checked: number) => void
}

const MOST_PROBLEMS = 100
/** What does not match is looked at again, after what is owed was settled: objects come and go meanwhile. */
const MOST_DOUBTS = 10_000
const LOOKS = 3
const PAGE = 500

export async function verifySides(
  set: CutOverSet,
  lease: PhaseLease,
  { level = 'checksum', signal, onProgress }: VerifySidesOptions = {},
): Promise<CutOverVerification> {
  await lease.renew()
  const { phase, changes } = await set.control()
  const rules = rulesOf(phase)
  if (!rules.usesSecond) throw set.conflict('verify', `in the phase ${rules.phase} one side is left alone`)
  await allHold(set, lease, phase, signal)
  const startedAt = set.now()
  const tally = new Tally()
  let doubts: string[] = []
  const met = async (key: string, isPlain: boolean) => {
    if (isPlain && (await isSame(set, key, level, signal))) tally.add(key, 'match')
    else if (doubts.length < MOST_DOUBTS) doubts.push(key)
    else tally.add(key, await judgeObject(set, lease, key, level, signal))
    if (tally.checked % PAGE === 0) onProgress?.(tally.checked)
  }
  await mapBounded(plainFirst(set, signal), set.settings.concurrency, ([key, isPlain]) => met(key, isPlain))
  for (let look = 1; doubts.length > 0; look++) {
    if (look > 1) await settle(set, lease, { eager: true, signal })
    const judged = await mapBounded(doubts, set.settings.concurrency, async key => {
      return [key, await judgeObject(set, lease, key, level, signal)] as const
    })
    doubts = []
    for (const [key, judgement] of judged)
      if (typeof judgement === 'object' && look < LOOKS) doubts.push(key)
      else tally.add(key, judgement)
  }
  onProgress?.(tally.checked)
  const { statuses, problems, checked, swept, strangers } = tally
  const wrong = statuses.differ + statuses.error + statuses['missing-destination']
  const matched = wrong + (rules.first === 'from' ? statuses['missing-source'] : 0) === 0
  const found = { level, phase: rules.phase, matched, checked, statuses, swept, strangers, problems }
  const verification: CutOverVerification = { ...found, startedAt, endedAt: set.now() }
  await store(set, { ...verification, changes })
  return verification
}

class Tally {
  checked = 0
  swept = 0
  strangers = 0
  readonly problems: VerificationProblem[] = []
  readonly statuses = { match: 0, differ: 0, 'missing-source': 0, 'missing-destination': 0, error: 0 }

  add(key: string, judgement: Judgement): void {
    if (judgement === 'none') return
    if (judgement === 'swept') this.swept++
    else if (judgement === 'stranger') this.strangers++
    else {
      this.checked++
      this.statuses[judgement === 'match' ? judgement : judgement.status]++
      if (judgement !== 'match' && this.problems.length < MOST_PROBLEMS)
        this.problems.push({ key, ...judgement })
    }
  }
}

/** All keys of both lists and of all rows; `true` with those that both sides have and nothing speaks against. */
async function* plainFirst(
  set: CutOverSet,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly [key: string, isPlain: boolean]> {
  const streams = {
    from: objectsOf(set.side('from'), signal),
    to: objectsOf(set.side('to'), signal),
    row: rowsOf(set),
  }
  for await (const { key, from, to, row } of mergeByKey(streams)) {
    if (isStaging(key)) continue
    const isThere = from !== undefined && to !== undefined && from.size === to.size
    yield [key, isThere && row?.from === 'held' && row.to === 'held' && !row.gone]
  }
}

async function* objectsOf(
  store: StorageProvider,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectInfo> {
  for await (const entry of store.list(signal === undefined ? {} : { signal }))
    if (entry.kind === 'object') yield entry
}

/** Of tombstones only those that are not known to be gone: what else is found of them stands in a list. */
async function* rowsOf(set: CutOverSet): AsyncGenerator<ObjectRow> {
  for (let after = ''; ; ) {
    const rows = await selectRows(set, ['key > ? ORDER BY key LIMIT ?', after, BigInt(PAGE)])
    yield* rows
    if (rows.length < PAGE) return
    after = rows.at(-1)!.key
  }
}

async function isSame(
  set: CutOverSet,
  key: string,
  level: VerifyLevel,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (await compareSides(set, key, level, signal)) === undefined
  } catch (error) {
    // Deleted while it was read.
    if (isAbsent(error)) return false
    throw error
  }
}

/** Only where the phase is still the one that was verified. */
async function store(set: CutOverSet, verification: StoredVerification): Promise<void> {
  await set.write([
    [
      `UPDATE ${CONTROL} SET verification = ? WHERE name = ? AND changes = ?`,
      JSON.stringify(verification),
      set.name,
      BigInt(verification.changes),
    ],
  ])
}
