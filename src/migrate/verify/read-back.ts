import type { Download } from '../../core/download.ts'
import { isStorageError } from '../../core/errors.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { checksumHasher, parseChecksumText } from '../copy/checksum-text.ts'
import type { ManifestRow } from '../manifest.ts'
import {
  CHANGED_AT_SOURCE,
  type Finding,
  isObjectMissing,
  MATCH,
  MISSING_DESTINATION,
  MISSING_SOURCE,
  otherBytes,
  otherSourceBytes,
  REPLACED,
  unverified,
} from './finding.ts'

export interface ReadBackOptions {
  readonly from: StorageProvider
  readonly to: StorageProvider
  readonly transformed: boolean
  readonly signal: AbortSignal | undefined
  /** Before each request, and for each chunk. */
  request(): Promise<void> | undefined
  bytes(count: number): Promise<void> | undefined
}

/**
 * Reads both sides in full and holds each against the checksum that was taken while copying. Where none was taken, the two
 * sides are held against each other, which a transform makes impossible.
 */
export async function readBack(row: ManifestRow, options: ReadBackOptions): Promise<Finding> {
  const atSource = row.sourceChecksum ?? (options.transformed ? undefined : row.destinationChecksum)
  const written = row.destinationChecksum ?? (options.transformed ? undefined : row.sourceChecksum)
  if (options.transformed && (atSource === undefined || written === undefined))
    return unverified('no checksum was taken while copying, and the body was transformed')
  const ending = new AbortController()
  const end = () => ending.abort(options.signal?.reason)
  if (options.signal?.aborted) end()
  // By hand: what `AbortSignal.any` makes is kept by the caller's signal on some versions of Node, one an object.
  options.signal?.addEventListener('abort', end, { once: true })
  const reading = { ...options, signal: ending.signal }
  const sides = [
    checksumOf(options.from, row.sourceKey, row.sourceEtag, atSource, reading),
    checksumOf(options.to, row.destinationKey, row.destinationEtag, written, reading),
  ] as const
  try {
    const [source, destination] = await Promise.all(sides)
    if (source === 'missing') return MISSING_SOURCE
    if (destination === 'missing') return MISSING_DESTINATION
    if (source === 'changed') return CHANGED_AT_SOURCE
    if (destination === 'changed') return REPLACED
    if (atSource !== undefined && source !== atSource)
      return otherSourceBytes('the bytes at the source are not those that were copied, under the same etag')
    if (written !== undefined && destination !== written)
      return otherBytes('the bytes at the destination are not those that were written')
    if (written === undefined && source !== destination)
      return otherBytes('the bytes are not the same on both sides')
    return MATCH
  } finally {
    // Where one side has failed, nobody needs the other's end.
    end()
    options.signal?.removeEventListener('abort', end)
    await Promise.allSettled(sides)
  }
}

/** The checksum of what is stored now, of the kind of `recorded`; or why that is not the object in question. */
async function checksumOf(
  provider: StorageProvider,
  key: string,
  etag: string | undefined,
  recorded: string | undefined,
  { signal, request, bytes }: ReadBackOptions,
): Promise<string | 'missing' | 'changed'> {
  await request()
  const pinned = provider.capabilities.conditionalRead === true && etag !== undefined ? { ifMatch: etag } : {}
  let download: Download
  try {
    download = await provider.download(key, { ...pinned, signal })
  } catch (error) {
    if (isObjectMissing(error)) return 'missing'
    if (isStorageError(error, 'precondition-failed')) return 'changed'
    throw error
  }
  try {
    const found = download.info.etag
    if (etag !== undefined && found !== undefined && found !== etag) return 'changed'
    const hasher = checksumHasher(recorded === undefined ? undefined : parseChecksumText(recorded))
    for await (const chunk of download) {
      hasher.update(chunk)
      await bytes(chunk.length)
    }
    return hasher.text()
  } finally {
    download.cancel()
  }
}
