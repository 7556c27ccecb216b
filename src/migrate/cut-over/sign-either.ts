import type { SignRequest, SignUploadRequest } from '../../core/driver.ts'
import type { SignedUploadOptions, SignedUrlOptions } from '../../core/options.ts'
import type { KeyResult, SignedUpload, SignedUrl } from '../../core/provider.ts'
import { HELD } from '../../sql/engine.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { type ObjectRow, objectRows } from './object-rows.ts'
import type { PhaseRules, Side } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'

/** URLs of the side that the phase reads, and of the other one for what is known to be only there. */
export async function signEither(
  set: CutOverSet,
  lease: PhaseLease,
  keys: readonly string[],
  request: SignRequest,
): Promise<KeyResult<SignedUrl>[]> {
  const { rules } = await lease.begin('signedUrls', false)
  const rows = rules.usesSecond ? await objectRows(set, keys) : new Map<string, ObjectRow>()
  const sideOf = (key: string) => signingSide(rules, rows.get(key))
  const { expiresIn, method, download, contentType, signal } = request
  const options: SignedUrlOptions = {
    expiresIn,
    method,
    ...(download !== undefined && { download }),
    ...(contentType !== undefined && { contentType }),
    ...(signal && { signal }),
  }
  const results = new Map<string, KeyResult<SignedUrl>>()
  const sides = new Set(keys.map(sideOf))
  await Promise.all(
    [...sides].map(async side => {
      const some = keys.filter(key => sideOf(key) === side)
      for (const result of await set.side(side).signedUrls(some, options)) results.set(result.key, result)
    }),
  )
  return keys.map(key => results.get(key)!)
}

/** A URL is signed without a look at the store, so the row has to say which side has the object. */
function signingSide({ first, second, usesSecond }: PhaseRules, row: ObjectRow | undefined): Side {
  if (!usesSecond) return first
  // Not copied yet, or written in `source-only`.
  if (row === undefined) return 'from'
  return row[first] !== 'held' && row[second] === 'held' && !row.gone ? second : first
}

/** Where the store chooses no lifetime and the other one must be given one. */
const DEFAULT_EXPIRES_IN = 2 * 60 * 60

/** The browser sends to one side, and the row says to which: it is finalized from there, also in the next phase. */
export async function signUploadOnFirst(
  set: CutOverSet,
  lease: PhaseLease,
  request: SignUploadRequest,
): Promise<SignedUpload> {
  const { key, expiresIn, contentType, size, maxSize, signal } = request
  const turn = await lease.begin('signedUpload', true)
  try {
    const { first, journals } = turn.rules
    const { signedUpload } = set.side(first).capabilities
    const lifetime =
      expiresIn ?? (signedUpload !== false && signedUpload.choosesExpiry ? DEFAULT_EXPIRES_IN : undefined)
    const options: SignedUploadOptions = {
      ...(lifetime !== undefined && { expiresIn: lifetime }),
      ...(contentType !== undefined && { contentType }),
      ...(size !== undefined && { size }),
      ...(maxSize !== undefined && { maxSize }),
      ...(signal && { signal }),
    }
    const signed = await set.side(first).signedUpload(key, options)
    if (!journals) return signed
    const op = set.newId()
    const id = `${op}:direct`
    const states = first === 'from' ? ['direct', 'none'] : ['none', 'direct']
    const { applied } = await set.batch(
      [
        [
          `INSERT INTO ${OBJECTS} (name, key, gone, from_state, to_state, op, attempts) SELECT ?, ?, 0, ?, ?, ?, 0 WHERE ${HELD} ON CONFLICT (name, key) DO UPDATE SET from_state = excluded.from_state, to_state = excluded.to_state, op = excluded.op WHERE ${OBJECTS}.gone = 0`,
          set.name,
          key,
          ...states,
          op,
          id,
        ],
      ],
      { id, condition: turn.fence, locks: turn.locks(key) },
    )
    if (!applied) throw turn.refused('signedUpload', key)
    return signed
  } finally {
    turn.end()
  }
}
