import { keyBatches, mapBounded, type UncheckedEntry } from './batches.ts'
import { deadline, endedError, untilEnded } from './deadline.ts'
import type { Driver, OwnValues } from './driver.ts'
import { invalidArgument, readOnly, type StorageError } from './errors.ts'
import { assertKey, type KeyRules, keyProblem } from './keys.ts'
import {
  assertOptions,
  type KeyEntry,
  type KeyInput,
  type OperationName,
  type OperationOptions,
} from './options.ts'
import { toStorageError } from './translate.ts'

/** Methods that take one key, which is checked before they begin. */
const KEYED: ReadonlySet<OperationName> = new Set([
  'upload',
  'uploadResumable',
  'info',
  'exists',
  'copy',
  'move',
  'delete',
  'signedUrl',
  'signedUpload',
  'abortUpload',
])

const NONE: OwnValues = Object.freeze({})

/** What surrounds every operation of one driver: checks before it, a deadline over it, a name for its errors. */
export class Operations {
  readonly #driver: Driver
  #closed: Promise<void> | undefined

  constructor(driver: Driver) {
    this.#driver = driver
  }

  async run<T>(
    operation: OperationName,
    key: string | undefined,
    options: OperationOptions | undefined,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    this.check(operation, options)
    if (KEYED.has(operation)) this.assertKey(key, operation)
    const ends = deadline(options, operation, this.#driver.name)
    try {
      // An upload sees its signal in its body and cleans up before it ends; the others leave nothing behind.
      const cleansUp = operation === 'upload' || operation === 'uploadResumable'
      return await (cleansUp ? work(ends.signal) : untilEnded(work(ends.signal), ends.signal))
    } catch (error) {
      throw this.error(error, operation, key, ends.signal)
    } finally {
      ends.clear()
    }
  }

  /**
   * Runs `work` on batches of keys, several at once. What fails for a batch fails for each of its keys, a bad entry
   * (by `check`, or by its key) fails alone, and `failed` makes a result of it. Results are in the keys' order.
   */
  many<Result>(
    operation: OperationName,
    keys: KeyInput,
    options: OperationOptions | undefined,
    batchSize: number,
    work: (batch: KeyEntry[], signal: AbortSignal | undefined) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
    check: (entry: UncheckedEntry) => StorageError | undefined = () => undefined,
  ): Promise<Result[]> {
    const { name, concurrency } = this.#driver
    return this.run(operation, undefined, options, async signal => {
      // Once for all: layers make their capabilities anew each time they are asked.
      const rules = this.#driver.capabilities.keys
      const results = await mapBounded(
        keyBatches(keys, batchSize, operation, name),
        concurrency,
        async batch => {
          if (signal?.aborted) throw endedError(signal, operation, name)
          const problems = batch.map(entry => this.#keyError(entry.key, rules, operation) ?? check(entry))
          const good = batch.filter((_, at) => problems[at] === undefined) as KeyEntry[]
          const answers = good.length === 0 ? [] : await this.#batch(operation, good, signal, work, failed)
          let next = 0
          return problems.map((problem, at) =>
            problem === undefined ? answers[next++]! : failed(String(batch[at]!.key), problem),
          )
        },
      )
      return results.flat()
    })
  }

  async #batch<Result>(
    operation: OperationName,
    entries: KeyEntry[],
    signal: AbortSignal | undefined,
    work: (batch: KeyEntry[], signal: AbortSignal | undefined) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
  ): Promise<Result[]> {
    try {
      return await work(entries, signal)
    } catch (error) {
      if (signal?.aborted) throw error
      return entries.map(({ key }) => failed(key, this.error(error, operation, key, signal)))
    }
  }

  /** @throws `invalid-argument` for an unknown option, or after `close` */
  check(operation: OperationName, options: object | undefined): void {
    this.assertOpen(operation)
    assertOptions(operation, options, this.#driver.name, this.#driver.ownOptions?.[operation])
  }

  /** What was given of the driver's own options. */
  own(operation: OperationName, options: object | undefined): OwnValues {
    const names = this.#driver.ownOptions?.[operation]
    if (names === undefined || options === undefined) return NONE
    const given: Record<string, unknown> = {}
    for (const name of names) {
      const value = (options as Record<string, unknown>)[name]
      if (value !== undefined) given[name] = value
    }
    return given
  }

  assertOpen(operation: string): void {
    if (this.#closed !== undefined)
      throw invalidArgument(operation, this.#driver.name, 'the provider has been closed')
  }

  assertWritable(operation: OperationName): void {
    if (!this.#driver.capabilities.writable) throw readOnly(operation, this.#driver.name)
  }

  assertKey(key: unknown, operation: string): asserts key is string {
    assertKey(key, this.#driver.capabilities.keys, operation, this.#driver.name)
  }

  #keyError(key: unknown, rules: KeyRules, operation: OperationName): StorageError | undefined {
    if (keyProblem(key, rules) === undefined) return undefined
    try {
      this.assertKey(key, operation)
    } catch (error) {
      return error as StorageError
    }
    return undefined
  }

  error(
    error: unknown,
    operation: string,
    key: string | undefined,
    signal: AbortSignal | undefined,
  ): StorageError {
    const translate = (thrown: unknown) => this.#driver.translate(thrown)
    const details = { operation, provider: this.#driver.name, signal, translate }
    return toStorageError(error, key === undefined ? details : { ...details, key })
  }

  close(): Promise<void> {
    this.#closed ??= this.#driver.close()
    return this.#closed
  }
}
