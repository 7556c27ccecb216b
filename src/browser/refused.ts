import { type ErrorCode, StorageError } from '../core/errors.ts'

export function refused(
  operation: string,
  problem: string,
  code: ErrorCode = 'invalid-argument',
): StorageError {
  return new StorageError(code, `${operation}: ${problem}`, { operation })
}
