import { type ErrorCode, StorageError } from '../../core/errors.ts'

export function imageFailure(code: ErrorCode, problem: string, cause?: unknown): StorageError {
  // The same bytes fail the same way again; only time can help a decoder that was too slow.
  return new StorageError(code, `describe: ${problem}`, {
    operation: 'describe',
    retryable: code === 'timeout',
    cause,
  })
}

export function noImage(): StorageError {
  return imageFailure('invalid-argument', 'this is no image of a kind that is described: see docs/images.md')
}

export function tooManyPixels(cause?: unknown): StorageError {
  return imageFailure('too-large', 'the image has more pixels than maxPixels allows', cause)
}

/** sharp tells its refusals by their words only. */
export function failureOfSharp(error: unknown, type: string): StorageError {
  const message = error instanceof Error ? error.message : String(error)
  if (/exceeds pixel limit|dimensions exceed|too large/i.test(message)) return tooManyPixels(error)
  if (/^timeout/i.test(message)) return imageFailure('timeout', 'decoding took longer than timeoutMs', error)
  return imageFailure(
    'invalid-argument',
    `what begins as ${type} is damaged, or a kind sharp can't read`,
    error,
  )
}
