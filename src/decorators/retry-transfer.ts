import { isStorageError } from '../core/errors.ts'
import { keyProblem } from '../core/keys.ts'
import type { CopyOptions } from '../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'
import { hasSameContent, identityOf } from '../core/same-content.ts'
import { openVersion } from './retry-upload.ts'
import type { Tries } from './tries.ts'

/** Copies with several tries. A copy onto itself under `ifMatch` changes what it asks for: its loss stays open. */
export async function retryCopy(
  inner: StorageProvider,
  from: string,
  to: string,
  options: CopyOptions | undefined,
  tries: Tries,
): Promise<ObjectInfo> {
  try {
    return await tries.run(() => inner.copy(from, to, options))
  } catch (error) {
    const lost = tries.unresolved
    if (lost === undefined) throw error
    if (from === to && isStorageError(error, 'precondition-failed')) throw lost
    if (!isStorageError(error, 'already-exists')) throw error
    const copied = await copyThatIsThere(inner, from, to, tries.fresh())
    if (copied === undefined) throw error
    return copied
  }
}

/**
 * Moves with several tries. The source is looked at before, without which nobody could tell a move whose answer was
 * lost from one of an object that was never there.
 */
export async function retryMove(
  inner: StorageProvider,
  from: string,
  to: string,
  options: CopyOptions | undefined,
  tries: Tries,
): Promise<ObjectInfo> {
  const source = await lookAt(inner, from, to, tries.signal)
  let asked = options
  for (;;) {
    try {
      return await inner.move(from, to, asked)
    } catch (error) {
      const done = tries.unresolved && (await lostMove(error))
      if (done !== undefined) return done
      if (tries.unresolved !== undefined && isStorageError(error, 'already-exists')) {
        // The copy was made and its source is still there: moving again over the same bytes ends it.
        if ((await copyThatIsThere(inner, from, to, tries.fresh())) === undefined) throw error
        asked = { ...asked, ifNoneMatch: undefined }
        continue
      }
      if (!(await tries.again(error))) throw error
      // Only the object that was there at first: by now it may be another's.
      if (source?.etag !== undefined && inner.capabilities.conditionalCopySource === true)
        asked = { ifMatch: source.etag, ...asked }
    }
  }

  /** What a lost try has moved, where `error` says that the source is not what it was. */
  async function lostMove(error: unknown): Promise<ObjectInfo | undefined> {
    const changed = isStorageError(error, 'precondition-failed')
    if (!changed && !isMissingObject(error)) return undefined
    const there = source && (await tries.fresh().run(() => infoOrNothing(inner, to, tries.signal)))
    if (there !== undefined && isCopyOf(source!, there)) return there
    // Under a condition of the caller's the answer is his; under ours it only means that the outcome is open.
    throw changed && options?.ifMatch === undefined ? tries.unresolved : error
  }
}

/** The source's attributes. That they can't be had, and why, is the move's to report. */
async function lookAt(
  inner: StorageProvider,
  from: string,
  to: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo | undefined> {
  const { writable, keys } = inner.capabilities
  if (!writable || [from, to].some(key => keyProblem(key, keys) !== undefined)) return undefined
  return inner.info(from, { signal }).catch(() => undefined)
}

async function infoOrNothing(inner: StorageProvider, key: string, signal: AbortSignal | undefined) {
  try {
    return await inner.info(key, { signal })
  } catch (error) {
    if (isMissingObject(error)) return undefined
    throw error
  }
}

/** By size, and by checksum where both have one of the same kind. */
function isCopyOf(source: ObjectInfo, there: ObjectInfo): boolean {
  if (source.size !== there.size) return false
  const [a, b] = [source.checksum, there.checksum]
  if (a?.algorithm !== b?.algorithm || a?.compositeParts !== b?.compositeParts) return true
  return a?.value === b?.value
}

/** What is stored under `to`, where it has the bytes of what is stored under `from`. */
async function copyThatIsThere(
  inner: StorageProvider,
  from: string,
  to: string,
  tries: Tries,
): Promise<ObjectInfo | undefined> {
  const { signal } = tries
  return tries.run(async () => {
    const source = await infoOrNothing(inner, from, signal)
    const there = await infoOrNothing(inner, to, signal)
    if (source === undefined || there === undefined || source.size !== there.size) return undefined
    const same = await hasSameContent(await identityOfStored(inner, source, signal), there, () =>
      openVersion(inner, there, signal),
    )
    return same ? there : undefined
  })
}

async function identityOfStored(inner: StorageProvider, stored: ObjectInfo, signal: AbortSignal | undefined) {
  const { checksum, size } = stored
  if (checksum?.algorithm === 'sha256' && checksum.compositeParts === undefined)
    return { size, sha256: checksum.value }
  const identity = identityOf()
  for await (const chunk of await openVersion(inner, stored, signal)) identity.watch(chunk)
  return identity.result()
}

/** A missing bucket is `not-found` too, and no answer about the object. */
export function isMissingObject(error: unknown): boolean {
  return isStorageError(error, 'not-found') && error.resource === undefined
}
