import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import {
  type BlurhashOptions,
  DESCRIBE_KINDS,
  type DescribeLimits,
  type DescribeSettings,
  describeSettings,
} from '../describe/describe-options.ts'

export interface ImageMetadataOptions extends DescribeLimits, BlurhashOptions {
  /**
   * What becomes of an image that can't be described: damaged in its head, above a limit, too slow to decode. `upload`,
   * the default, stores it without the metadata; `refuse` throws what `describe` has found.
   */
  onProblem?: 'upload' | 'refuse'
  /**
   * What becomes of what is no image by its first bytes. `upload`, the default, stores it untouched; `refuse` throws
   * `invalid-argument`, and nothing is stored.
   */
  others?: 'upload' | 'refuse'
  /** Told of every image that can't be described. What it throws is dropped. */
  onUndescribed?: (problem: UndescribedImage) => void
  /** Where streamed images above 1 MiB are kept until they are uploaded. Default: the system's own folder. */
  temporaryFolder?: string
}

export interface UndescribedImage {
  readonly operation: 'upload' | 'prepareUpload' | 'finalize' | 'prepareFinalize'
  readonly key: string
  readonly error: StorageError
}

export interface ImageMetadataSettings {
  readonly describing: DescribeSettings
  readonly refuses: boolean
  readonly refusesOthers: boolean
  readonly onUndescribed: ((problem: UndescribedImage) => void) | undefined
  readonly temporaryFolder: string | undefined
}

/** @throws `invalid-argument` for unknown options, and for values that are none */
export function imageMetadataSettings(options: ImageMetadataOptions): ImageMetadataSettings {
  const { timeoutMs, signal: _, ...kinds } = DESCRIBE_KINDS
  assertFactoryOptions('withImageMetadata', options, {
    ...kinds,
    timeoutMs,
    onProblem: 'string',
    others: 'string',
    onUndescribed: 'function',
    temporaryFolder: 'string',
  })
  const { onProblem = 'upload', others = 'upload', onUndescribed, temporaryFolder, ...describing } = options
  for (const [name, value] of Object.entries({ onProblem, others }))
    if (value !== 'upload' && value !== 'refuse')
      throw new StorageError('invalid-argument', `withImageMetadata: ${name} must be 'upload' or 'refuse'`)
  return {
    describing: describeSettings(describing, 'withImageMetadata'),
    refuses: onProblem === 'refuse',
    refusesOthers: others === 'refuse',
    onUndescribed,
    temporaryFolder,
  }
}
