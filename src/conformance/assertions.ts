import { type ErrorCode, StorageError } from '../core/errors.ts'

/** A behaviour that is not as the contract has it. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

/** Thrown by a case that finds out on its way that it can't be run. */
export class CannotRun extends Error {}

export function ok(condition: unknown, problem: string): asserts condition {
  if (!condition) throw new ConformanceError(problem)
}

/** Compares by value: numbers, strings, and lists or objects of them. */
export function equal<Value>(actual: Value, expected: Value, what: string): void {
  const [is, should] = [shown(actual), shown(expected)]
  if (is !== should) throw new ConformanceError(`${what} is ${clipped(is)}, should be ${clipped(should)}`)
}

/** As `equal`, where more than one outcome is right. */
export function oneOf<Value>(actual: Value, expected: readonly Value[], what: string): void {
  const [is, should] = [shown(actual), expected.map(shown)]
  if (!should.includes(is))
    throw new ConformanceError(`${what} is ${clipped(is)}, should be ${should.map(clipped).join(' or ')}`)
}

export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) === 0) return
  const length = Math.min(actual.length, expected.length)
  let at = 0
  while (at < length && actual[at] === expected[at]) at++
  throw new ConformanceError(
    `${what}: got ${actual.length} bytes, expected ${expected.length}; they differ from byte ${at} on`,
  )
}

/**
 * Asserts that `work` fails with a `StorageError` of one of `codes`, and returns the error. What throws at once is
 * taken like what rejects.
 */
export async function fails(
  work: () => unknown,
  codes: ErrorCode | readonly ErrorCode[],
  what: string,
): Promise<StorageError> {
  const expected = typeof codes === 'string' ? [codes] : codes
  let thrown: unknown
  try {
    await work()
  } catch (error) {
    thrown = error
  }
  if (thrown === undefined) throw new ConformanceError(`${what} succeeds, should be ${expected.join(' or ')}`)
  if (!(thrown instanceof StorageError))
    throw new ConformanceError(`${what} throws ${String(thrown)}, which is no StorageError`, {
      cause: thrown,
    })
  if (!expected.includes(thrown.code)) {
    throw new ConformanceError(
      `${what} is refused as '${thrown.code}' (${thrown.message}), should be '${expected.join("' or '")}'`,
      { cause: thrown },
    )
  }
  ok(thrown.operation, `${what}: the error does not name its operation`)
  return thrown
}

function shown(value: unknown): string {
  return value === undefined ? 'undefined' : JSON.stringify(value, (_, part) => sorted(part))
}

/** Objects with their names in order: `{a, b}` equals `{b, a}`. */
function sorted(part: unknown): unknown {
  if (typeof part === 'bigint') return `${part}n`
  if (typeof part !== 'object' || part === null || Array.isArray(part) || part instanceof Date) return part
  return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function clipped(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}
