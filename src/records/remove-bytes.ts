import { type ErrorCode, StorageError } from '../core/errors.ts'
import type { DeleteResult, OperationOptions, StorageProvider } from '../core/provider.ts'
import type { RecordSet } from './record-set.ts'

/**
 * What became of bytes. `gone`: the store says they are not there now. `refused`: it says that it has not deleted
 * them. `unknown`: they may be there or not, now or in a moment.
 */
export type Removal =
  | { readonly status: 'gone' }
  | { readonly status: 'refused' | 'unknown'; readonly error: StorageError }

/** Answers after which the bytes are certainly untouched. Every other failure may be a lost answer. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'permission-denied',
  'unauthenticated',
  'unsupported',
  'invalid-key',
  'invalid-argument',
  'precondition-failed',
])

export interface StoredBytes {
  readonly physical: string
  readonly versionId: string | undefined
}

/** Deletes the bytes under physical keys, those of a version where one is known. A result each, in order; never throws. */
export async function removeBytes(
  set: RecordSet,
  targets: readonly StoredBytes[],
  limits: OperationOptions = {},
): Promise<Removal[]> {
  const { provider } = set
  try {
    const results = await provider.deleteMany(
      targets.map(target => entryOf(provider, target)),
      limits,
    )
    return results.map((result, index) => removalOf(set, result, targets[index]!))
  } catch (error) {
    const known = set.error(error, 'delete')
    return targets.map(() => ({ status: statusOf(known), error: known }))
  }
}

function statusOf({ code, uncertain }: StorageError): 'refused' | 'unknown' {
  return REFUSALS.has(code) && !uncertain ? 'refused' : 'unknown'
}

function entryOf({ capabilities }: StorageProvider, { physical, versionId }: StoredBytes) {
  return versionId !== undefined && capabilities.versionedDelete
    ? { key: physical, versionId }
    : { key: physical }
}

function removalOf(set: RecordSet, result: DeleteResult, { physical }: StoredBytes): Removal {
  const failed = (status: 'refused' | 'unknown', code: ErrorCode, problem: string): Removal => ({
    status,
    error: new StorageError(code, `delete: ${problem}`, {
      operation: 'delete',
      key: physical,
      provider: set.provider.name,
      retryable: false,
    }),
  })
  if (result.status === 'error') return { status: statusOf(result.error), error: result.error }
  // The object is hidden, its bytes are kept as a version that we don't know: no deletion, and none that can be undone.
  if (result.deleteMarker)
    return failed(
      'unknown',
      'unsupported',
      'the bucket keeps versions and only hid the object; its version is not recorded, so delete the versions of this key by hand',
    )
  if (result.status === 'missing' && !set.settings.seesEverything)
    return failed(
      'unknown',
      'permission-denied',
      'the store says missing, but this credential may not see everything',
    )
  return { status: 'gone' }
}
