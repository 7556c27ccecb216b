import { type ErrorCode, StorageError } from '../../src/core/errors.ts'

/** For `rejects.toSatisfy(hasCode('not-found'))`. */
export function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return error => error instanceof StorageError && error.code === code
}
