import { StorageError } from '../../core/errors.ts'

/** The error of everything that is checked before signing. Sources, keys and salts are never repeated in it. */
export function refusal(problem: string): StorageError {
  return new StorageError('invalid-argument', `imgproxy: ${problem}`, { provider: 'imgproxy' })
}
