import type { ChecksumRequest } from './checksum.ts'
import { StorageError } from './errors.ts'
import type { Progress } from './options.ts'

export interface BodyOptions {
  readonly key: string
  readonly provider: string
  readonly size?: number
  readonly checksum?: ChecksumRequest
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export function bodyError(problem: string, { key, provider }: BodyOptions, cause?: unknown): StorageError {
  return new StorageError('invalid-argument', `upload: the body ${problem}; nothing was stored`, {
    operation: 'upload',
    key,
    provider,
    cause,
  })
}

export function lengthError(options: BodyOptions, actual: number): StorageError {
  const { size, key, provider } = options
  const how = actual > size! ? `at least ${actual} bytes long` : `only ${actual} bytes long`
  return new StorageError(
    'invalid-argument',
    `upload: the body is ${how}, ${size} were declared; nothing was stored`,
    { operation: 'upload', key, provider },
  )
}

export function checksumError(options: BodyOptions): StorageError {
  const { key, provider, checksum } = options
  return new StorageError(
    'checksum-mismatch',
    `upload: the body does not have the given ${checksum!.algorithm}; nothing was stored`,
    {
      operation: 'upload',
      key,
      provider,
    },
  )
}

/** UTF-8 has no lone surrogates: they would be stored as other characters, in silence. */
export function assertText(text: string, options: BodyOptions): void {
  if (!text.isWellFormed())
    throw bodyError('holds a lone surrogate, perhaps half a character; send bytes instead', options)
}
