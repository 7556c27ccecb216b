import { plainError } from '../core/plain-error.ts'

/**
 * @param unknown what is left of the options without those that there are
 * @param wrong what is out of range, in words; `false` where it is not
 * @throws `invalid-argument` for the first of them
 */
export function checkOptions(operation: string, unknown: object, ...wrong: (string | false)[]): void {
  const first = [...Object.keys(unknown), ...wrong].find(Boolean)
  if (first) throw plainError(operation, `wrong ${first}`)
}
