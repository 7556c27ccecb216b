import { endedError } from '../../core/deadline.ts'
import { isStorageError, StorageError } from '../../core/errors.ts'
import { noImage } from '../describe/image-failure.ts'
import type { ImageDescription } from '../image-description.ts'
import { imageMetadata } from '../image-metadata.ts'
import type { ImageMetadataSettings, UndescribedImage } from './image-metadata-options.ts'
import { fits, mergeMetadata } from './merge-metadata.ts'

export interface DescribedCall {
  readonly operation: UndescribedImage['operation']
  readonly key: string
  /** Name of the provider, for errors. */
  readonly provider: string
  readonly signal: AbortSignal | undefined
}

/**
 * The metadata of an image, with what the caller has given; `undefined` where it can't be described and goes on as it
 * is. @throws what `describe` has found, where such images are refused; what ends the call itself
 */
export async function describeOrTell(
  call: DescribedCall,
  { refuses, onUndescribed }: ImageMetadataSettings,
  given: Record<string, string> | undefined,
  describe: () => Promise<ImageDescription>,
): Promise<Record<string, string> | undefined> {
  const { operation, key, provider, signal } = call
  try {
    const metadata = mergeMetadata(imageMetadata(await describe()), given)
    if (fits(metadata)) return metadata
    throw undescribed('too-large', 'size and blurhash do not fit beside the metadata that was given')
  } catch (error) {
    // The stream's own end, and a package that is missing, are no property of the image.
    if (!isStorageError(error) || error.operation !== 'describe' || error.code === 'unsupported') throw error
    if (signal?.aborted) throw endedError(signal, operation, provider, key)
    try {
      onUndescribed?.({ operation, key, error })
    } catch {}
    if (!refuses) return undefined
    throw refused(call, error)
  }
}

/** What is no image goes on as it is. @throws `invalid-argument` where only images are taken */
export function letOthersPass(call: DescribedCall, { refusesOthers }: ImageMetadataSettings): void {
  if (refusesOthers) throw refused(call, noImage())
}

function refused({ operation, key, provider }: DescribedCall, cause: StorageError): StorageError {
  const message = `${operation}: what was sent can't be described, so nothing was stored; ${cause.message}`
  return new StorageError(cause.code, message, {
    operation,
    key,
    provider,
    retryable: cause.retryable,
    cause,
  })
}

function undescribed(code: 'too-large', problem: string): StorageError {
  return new StorageError(code, `describe: ${problem}`, { operation: 'describe' })
}
