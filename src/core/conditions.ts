import type { CapabilitySwitch } from './capabilities.ts'
import type { Driver } from './driver.ts'
import { invalidArgument, StorageError, unsupported } from './errors.ts'
import type { OperationName } from './options.ts'

interface Conditions {
  readonly ifMatch?: unknown
  readonly ifNoneMatch?: unknown
}

/** The capability that each condition of each method needs. */
const NEEDS: Partial<Record<OperationName, Partial<Record<keyof Conditions, CapabilitySwitch>>>> = {
  upload: { ifMatch: 'conditionalReplace', ifNoneMatch: 'createOnly' },
  uploadResumable: { ifMatch: 'conditionalReplace', ifNoneMatch: 'createOnly' },
  download: { ifMatch: 'conditionalRead', ifNoneMatch: 'conditionalRead' },
  info: { ifMatch: 'conditionalRead', ifNoneMatch: 'conditionalRead' },
  copy: { ifMatch: 'conditionalCopySource', ifNoneMatch: 'createOnlyCopy' },
  move: { ifMatch: 'conditionalCopySource', ifNoneMatch: 'createOnlyCopy' },
  delete: { ifMatch: 'conditionalDelete' },
}

/** entity-tag without its quotes (RFC 9110, section 8.8.3). */
const ETAG = /^[\x21\x23-\x7e\x80-\xff]+$/

/**
 * Checks the conditions of a call, asking the endpoint about those it has not been asked about. Resolves only where
 * the store keeps them all. @throws `invalid-argument`; `unsupported`
 */
export async function assertConditions(
  driver: Driver,
  operation: OperationName,
  { ifMatch, ifNoneMatch }: Conditions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reads = operation === 'download' || operation === 'info'
  if (!reads && ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw invalidArgument(operation, driver.name, "ifNoneMatch can only be '*' here")
  }
  const uploads = operation === 'upload' || operation === 'uploadResumable'
  if (uploads && ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw invalidArgument(operation, driver.name, 'give ifMatch or ifNoneMatch, not both')
  }
  for (const [name, value] of Object.entries({ ifMatch, ifNoneMatch })) {
    if (value === undefined) continue
    if (typeof value !== 'string' || !ETAG.test(value)) {
      throw invalidArgument(
        operation,
        driver.name,
        `${name} must be an etag as info() gives it, without quotes`,
      )
    }
    const needed = NEEDS[operation]?.[name as keyof Conditions]
    if (needed !== undefined && (await isKept(driver, needed, signal))) continue
    const where = needed === undefined ? '' : ` (capabilities.${needed})`
    throw unsupported(
      operation,
      driver.name,
      `the store does not keep ${name} here${where}; nothing was done`,
    )
  }
}

/** Why exactly this version can't be deleted, where it can't: of one bad entry among many the others don't suffer. */
export function versionProblem(
  { name, capabilities }: Driver,
  operation: 'delete' | 'deleteMany',
  {
    key,
    versionId,
    ifMatch,
  }: { readonly key: unknown; readonly versionId?: unknown; readonly ifMatch?: unknown },
): StorageError | undefined {
  if (versionId === undefined) return undefined
  const refused = (code: 'invalid-argument' | 'unsupported', problem: string) =>
    new StorageError(code, `${operation}: ${problem}`, { operation, provider: name, key: String(key) })
  if (typeof versionId !== 'string' || !/^[\x21-\x7e]{1,1024}$/.test(versionId))
    return refused('invalid-argument', 'versionId must be one as upload() and info() give it')
  if (ifMatch !== undefined)
    return refused('invalid-argument', 'give ifMatch or versionId, not both: a version never changes')
  if (capabilities.versionedDelete) return undefined
  return refused('unsupported', 'the store deletes no single version (capabilities.versionedDelete)')
}

async function isKept(
  driver: Driver,
  name: CapabilitySwitch,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const known = driver.capabilities[name]
  return known === 'unknown' ? driver.ask(name, signal) : known
}
