import { expect } from 'vitest'

/** For `toThrow(refused(/unknown option/))`: an `invalid-argument` with that message. */
export function refused(message: RegExp) {
  return expect.objectContaining({
    name: 'StorageError',
    code: 'invalid-argument',
    message: expect.stringMatching(message),
  })
}
