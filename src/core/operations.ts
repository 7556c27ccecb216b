import { keyBatches, mapBounded } from './batches.ts'
import { deadline, endedError, untilEnded } from './deadline.ts'
import type { Driver } from './driver.ts'
import { invalidArgument, readOnly, type StorageError } from './errors.ts'
import { assertKey, keyProblem } from './keys.ts'
import { assertOptions, type KeyInput, type OperationName, type OperationOptions } from './options.ts'
import { toStorageError } from './translate.ts'

/** Methods that take one key, which is checked before they begin. */
const KEYED: ReadonlySet<OperationName> = new Set([
  'upload',
  'info',
  'exists',
  'copy',
  'move',
  'delete',
  'signedUrl',
  'signedUpload',
])

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
      return await (operation === 'upload' ? work(ends.signal) : untilEnded(work(ends.signal), ends.signal))
    } catch (error) {
      throw this.error(error, operation, key, ends.signal)
    } finally {
      ends.clear()
    }
  }

  /**
   * Runs `work` on batches of keys, several at once. What fails for a batch fails for each of its keys, a bad key
   * fails alone, and `failed` makes a result of it. Results are in the keys' order.
   */
  many<Result>(
    operation: OperationName,
    keys: KeyInput,
    options: OperationOptions | undefined,
    batchSize: number,
    work: (batch: string[], signal: AbortSignal | undefined) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
  ): Promise<Result[]> {
    const { name, concurrency } = this.#driver
    return this.run(operation, undefined, options, async signal => {
      const results = await mapBounded(
        keyBatches(keys, batchSize, operation, name),
        concurrency,
        async batch => {
          if (signal?.aborted) throw endedError(signal, operation, name)
          const good = batch.filter(
            key => keyProblem(key, this.#driver.capabilities.keys) === undefined,
          ) as string[]
          const answers = good.length === 0 ? [] : await this.#batch(operation, good, signal, work, failed)
          let next = 0
          return batch.map(key => {
            try {
              this.assertKey(key, operation)
            } catch (error) {
              return failed(String(key), error as StorageError)
            }
            return answers[next++]!
          })
        },
      )
      return results.flat()
    })
  }

  async #batch<Result>(
    operation: OperationName,
    keys: string[],
    signal: AbortSignal | undefined,
    work: (batch: string[], signal: AbortSignal | undefined) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
  ): Promise<Result[]> {
    try {
      return await work(keys, signal)
    } catch (error) {
      if (signal?.aborted) throw error
      return keys.map(key => failed(key, this.error(error, operation, key, signal)))
    }
  }

  /** @throws `invalid-argument` for an unknown option, or after `close` */
  check(operation: OperationName, options: object | undefined): void {
    this.assertOpen(operation)
    assertOptions(operation, options, this.#driver.name)
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
