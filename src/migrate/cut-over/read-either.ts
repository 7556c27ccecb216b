import type { HeadRequest, ReadAnswer, ReadRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { InfoOptions } from '../../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import { rangeHeader } from '../../core/range.ts'
import type { CompareReads } from './compare-reads.ts'
import { type CutOverSet, isAbsent } from './cut-over-set.ts'
import { infoOf } from './info-of.ts'
import { isMutable, isStaging } from './key-kinds.ts'
import { mayHold, type ObjectRow, objectRow } from './object-rows.ts'
import type { PhaseRules } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'

export interface Reading {
  readonly set: CutOverSet
  readonly lease: PhaseLease
  readonly compare: CompareReads
}

export async function downloadEither(reading: Reading, request: ReadRequest): Promise<ReadAnswer> {
  const { key, range, signal } = request
  const download = await readEither(reading, key, 'download', store =>
    store.download(key, {
      ...(signal && { signal }),
      ...(range === undefined ? {} : { range: rangeHeader(range) as `bytes=${string}` }),
    }),
  )
  const source = {
    chunks: () => download,
    bytes: () => download.bytes(),
    cancel: () => download.cancel(),
  }
  return {
    info: infoOf(download.info),
    source,
    ...(download.range === undefined ? {} : { span: download.range }),
  }
}

export async function infoEither(reading: Reading, { key, signal }: HeadRequest): Promise<ObjectInfo> {
  const { set } = reading
  const options: InfoOptions = signal === undefined ? {} : { signal }
  const info = await readEither(reading, key, 'info', async (store, rules) => {
    const found = await store.info(key, options)
    const isAlone = rules.first === 'to' && store === set.side('to')
    // By then all that is ours has a row, and records that adopt what they meet must not make a file of what is not.
    if (isAlone && !isStaging(key) && !isMutable(key) && (await objectRow(set, key)) === undefined)
      throw new StorageError('not-found', 'info: what is there is none of this cut-over', {
        operation: 'info',
        key,
        provider: store.name,
      })
    return found
  })
  return infoOf(info)
}

/** From the side that the phase reads; on a miss from the other one, where it may have the object and it was not deleted. */
async function readEither<T>(
  { set, lease, compare }: Reading,
  key: string,
  operation: string,
  ask: (store: StorageProvider, rules: PhaseRules) => Promise<T>,
): Promise<T> {
  const { rules } = await lease.begin(operation, false)
  try {
    const answer = await ask(set.side(rules.first), rules)
    if (rules.compares) compare.consider(key)
    return answer
  } catch (error) {
    if (!isAbsent(error) || !(await isWorthALook(set, rules, key))) throw error
    return await ask(set.side(rules.second), rules)
  }
}

async function isWorthALook(set: CutOverSet, rules: PhaseRules, key: string): Promise<boolean> {
  if (!rules.usesSecond && !isStaging(key)) return false
  return isOnSecond(rules, key, await objectRow(set, key))
}

/** Whether an object that the first side does not have may be on the second. */
export function isOnSecond(rules: PhaseRules, key: string, row: ObjectRow | undefined): boolean {
  if (rules.usesSecond) return mayHold(row, rules.second)
  // What a browser was sent to in the phase before is finalized in this one.
  return isStaging(key) && row?.[rules.second] === 'direct' && !row.gone
}
