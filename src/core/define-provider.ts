import { keyBatches, mapBounded } from './batches.ts'
import type { Capabilities, CapabilitySwitch } from './capabilities.ts'
import { assertContentType } from './content-type.ts'
import { deadline, endedError, untilEnded } from './deadline.ts'
import { Download } from './download.ts'
import type { Driver, SignRequest } from './driver.ts'
import { StorageError } from './errors.ts'
import { assertKey, keyProblem } from './keys.ts'
import { listing } from './list-pages.ts'
import type { Listing } from './listing.ts'
import {
  assertOptions,
  type KeyInput,
  type OperationName,
  type OperationOptions,
  type SignedUrlOptions,
} from './options.ts'
import type { StorageProvider } from './provider.ts'
import { httpRange, rangePastEnd } from './range.ts'
import type { DeleteResult, KeyResult, ObjectInfo, SignedUrl } from './results.ts'
import { toStorageError } from './translate.ts'
import { checkedAttributes, runUpload, unsupported } from './upload.ts'

/** What the conditions of each method need. */
const CONDITIONS: Partial<
  Record<OperationName, { ifMatch?: CapabilitySwitch; ifNoneMatch?: CapabilitySwitch }>
> = {
  upload: { ifMatch: 'conditionalReplace', ifNoneMatch: 'createOnly' },
  download: { ifMatch: 'conditionalRead', ifNoneMatch: 'conditionalRead' },
  info: { ifMatch: 'conditionalRead', ifNoneMatch: 'conditionalRead' },
  copy: { ifMatch: 'conditionalCopySource', ifNoneMatch: 'createOnlyCopy' },
  move: { ifMatch: 'conditionalCopySource', ifNoneMatch: 'createOnlyCopy' },
  delete: { ifMatch: 'conditionalDelete' },
}

/** One year: what is asked for beyond it is a slip of units. */
const MAX_EXPIRES_IN = 31_536_000

/**
 * Makes a provider of a driver. Everything that is the same for all stores happens here, once: see `driver.ts`.
 *
 * @example
 * ```ts
 * export const tape = (options: TapeOptions): StorageProvider => defineProvider(new TapeDriver(options))
 * ```
 */
export function defineProvider(driver: Driver): StorageProvider {
  return new DefinedProvider(driver)
}

class DefinedProvider implements StorageProvider {
  readonly #driver: Driver
  #closed: Promise<void> | undefined

  constructor(driver: Driver) {
    this.#driver = driver
  }

  get name() {
    return this.#driver.name
  }

  get capabilities() {
    return this.#driver.capabilities
  }

  probe(options?: OperationOptions): Promise<Capabilities> {
    return this.#run('probe', undefined, options, async signal => {
      for (const name of Object.keys(this.capabilities) as CapabilitySwitch[]) {
        if ((this.capabilities[name] as unknown) === 'unknown') await this.#driver.ask(name, signal)
      }
      return this.capabilities
    })
  }

  upload: StorageProvider['upload'] = (key, body, options = {}) =>
    this.#run('upload', key, options, async signal => {
      this.#assertWritable('upload')
      await this.#assertConditions('upload', options, signal)
      return runUpload(this.#driver, key, body, options, signal)
    })

  download: StorageProvider['download'] = async (key, options = {}) => {
    this.#check('download', options)
    assertKey(key, this.capabilities.keys, 'download', this.name)
    const span = httpRange(options.range, this.name)
    // The deadline covers the body: it is cleared when that has ended.
    const ends = deadline(options, 'download', this.name)
    const toError = (error: unknown) => this.#error(error, 'download', key, ends.signal)
    try {
      const { ifMatch, ifNoneMatch, onProgress } = options
      if (ifMatch !== undefined || ifNoneMatch !== undefined)
        await this.#assertConditions('download', options, ends.signal)
      const request = { key, ifMatch, ifNoneMatch, signal: ends.signal }
      if (span?.kind === 'empty') return await this.#openEmpty(request, span.start, ends.clear)
      const reading = this.#driver.read({ ...request, range: span })
      const answer = await untilEnded(reading, ends.signal).catch(async error => {
        // Every byte of an empty object's last n is none, which HTTP calls unsatisfiable.
        if (span?.kind === 'suffix' && toError(error).status === 416)
          return this.#openEmptySuffix(request, error)
        throw error
      })
      return new Download({ ...answer, onProgress, signal: ends.signal, toError, onEnd: ends.clear })
    } catch (error) {
      ends.clear()
      throw toError(error)
    }
  }

  info: StorageProvider['info'] = (key, options = {}) =>
    this.#run('info', key, options, async signal => {
      const { ifMatch, ifNoneMatch } = options
      if (ifMatch !== undefined || ifNoneMatch !== undefined)
        await this.#assertConditions('info', options, signal)
      return this.#driver.head({ key, ifMatch, ifNoneMatch, signal })
    })

  infoMany: StorageProvider['infoMany'] = (keys, options) =>
    this.#many<KeyResult<ObjectInfo>>(
      'infoMany',
      keys,
      options,
      1,
      async ([key], signal) => {
        try {
          const value = await this.#driver.head({
            key: key!,
            ifMatch: undefined,
            ifNoneMatch: undefined,
            signal,
          })
          return [{ key: key!, ok: true, value }]
        } catch (error) {
          return [{ key: key!, ok: false, error: this.#error(error, 'infoMany', key, signal) }]
        }
      },
      failedResult,
    )

  exists: StorageProvider['exists'] = (key, options) =>
    this.#run('exists', key, options, async signal => {
      try {
        await this.#driver.head({ key, ifMatch: undefined, ifNoneMatch: undefined, signal })
        return true
      } catch (error) {
        const known = this.#error(error, 'exists', key, signal)
        if (known.code === 'not-found' && known.resource === undefined) return false
        throw known
      }
    })

  list: StorageProvider['list'] = (options = {}): Listing => {
    this.#check('list', options)
    return listing(this.#driver, options, (work, pageOptions) =>
      this.#run('list', undefined, { ...commonOf(options), ...commonOf(pageOptions) }, work),
    )
  }

  copy: StorageProvider['copy'] = (from, to, options) => this.#transfer('copy', from, to, options)
  move: StorageProvider['move'] = (from, to, options) => this.#transfer('move', from, to, options)

  delete: StorageProvider['delete'] = (key, options = {}) =>
    this.#run('delete', key, options, async signal => {
      this.#assertWritable('delete')
      await this.#assertConditions('delete', options, signal)
      const result = await this.#driver.remove({ key, ifMatch: options.ifMatch, signal })
      if (result.status === 'error') throw result.error
      return result
    })

  deleteMany: StorageProvider['deleteMany'] = async (keys, options) => {
    this.#assertWritable('deleteMany')
    return this.#many<DeleteResult>(
      'deleteMany',
      keys,
      options,
      this.#driver.deleteBatchSize,
      async (batch, signal) => {
        try {
          return await this.#driver.removeMany(batch, signal)
        } catch (error) {
          if (signal?.aborted) throw error
          return batch.map(key => ({
            key,
            status: 'error',
            error: this.#error(error, 'deleteMany', key, signal),
          }))
        }
      },
      (key, error) => ({ key, status: 'error', error }),
    )
  }

  signedUrl: StorageProvider['signedUrl'] = (key, options) =>
    this.#run('signedUrl', key, options, async signal => {
      const [result] = await this.#driver.signMany([key], this.#signRequest('signedUrl', options, signal))
      if (!result!.ok) throw result!.error
      return result!.value
    })

  signedUrls: StorageProvider['signedUrls'] = async (keys, options) => {
    const request = this.#signRequest('signedUrls', options, undefined)
    return this.#many<KeyResult<SignedUrl>>(
      'signedUrls',
      keys,
      options,
      this.#driver.signBatchSize,
      async (batch, signal) => {
        try {
          return await this.#driver.signMany(batch, { ...request, signal })
        } catch (error) {
          if (signal?.aborted) throw error
          return batch.map(key => ({ key, ok: false, error: this.#error(error, 'signedUrls', key, signal) }))
        }
      },
      failedResult,
    )
  }

  signedUpload: StorageProvider['signedUpload'] = (key, options) =>
    this.#run('signedUpload', key, options, async signal => {
      this.#assertWritable('signedUpload')
      const able = this.capabilities.signedUpload
      const { expiresIn, contentType, size, maxSize } = options ?? {}
      if (able === false) throw unsupported('signedUpload', this.name, 'this provider signs no uploads')
      if (able.choosesExpiry) assertExpiresIn(expiresIn, undefined, 'signedUpload', this.name)
      else if (expiresIn !== undefined)
        throw unsupported(
          'signedUpload',
          this.name,
          'the store sets the lifetime itself; leave expiresIn out',
        )
      if (contentType !== undefined) assertContentType(contentType, 'signedUpload', this.name)
      for (const [option, value] of Object.entries({ size, maxSize })) {
        if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
          throw this.#invalid('signedUpload', `${option} must be a whole number of bytes`)
      }
      if (size !== undefined && maxSize !== undefined)
        throw this.#invalid('signedUpload', 'give size or maxSize, not both')
      for (const [option, value] of Object.entries({ contentType, size, maxSize })) {
        if (value !== undefined && !able[option as 'size'])
          throw unsupported('signedUpload', this.name, `the store can't enforce ${option}`)
      }
      return this.#driver.signUpload({ key, expiresIn, contentType, size, maxSize, signal })
    })

  publicUrl(key: string): string {
    this.#assertOpen('publicUrl')
    assertKey(key, this.capabilities.keys, 'publicUrl', this.name)
    if (!this.capabilities.publicUrl)
      throw unsupported('publicUrl', this.name, 'this provider has no public address')
    return this.#driver.publicUrl(key)
  }

  close(): Promise<void> {
    this.#closed ??= this.#driver.close()
    return this.#closed
  }

  #transfer(
    operation: 'copy' | 'move',
    from: string,
    to: string,
    options: Parameters<StorageProvider['copy']>[2] = {},
  ) {
    return this.#run(operation, from, options, async signal => {
      this.#assertWritable(operation)
      assertKey(to, this.capabilities.keys, operation, this.name)
      const attributes = checkedAttributes(this.#driver, options, operation)
      await this.#assertConditions(operation, options, signal)
      const { ifNoneMatch, ifMatch } = options
      return this.#driver[operation]({ from, to, attributes, ifNoneMatch, ifMatch, signal })
    })
  }

  async #openEmpty(
    request: Parameters<Driver['head']>[0],
    start: number,
    onEnd: () => void,
  ): Promise<Download> {
    const info = await this.#driver.head(request)
    if (start > info.size) throw rangePastEnd(request.key, info.size, this.name)
    return new Download({ info, span: { offset: start, length: 0 }, source: NO_BYTES, onEnd })
  }

  async #openEmptySuffix(request: Parameters<Driver['head']>[0], refused: unknown) {
    const info = await this.#driver.head(request)
    if (info.size !== 0) throw refused
    return { info, span: { offset: 0, length: 0 }, source: NO_BYTES }
  }

  /** Checks, deadline and translation around one operation. */
  async #run<T>(
    operation: OperationName,
    key: string | undefined,
    options: OperationOptions | undefined,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    this.#check(operation, options)
    if (key !== undefined || KEYED.has(operation))
      assertKey(key, this.capabilities.keys, operation, this.name)
    const ends = deadline(options, operation, this.name)
    try {
      // An upload sees its signal in its body and cleans up before it ends; the others leave nothing behind.
      return await (operation === 'upload' ? work(ends.signal) : untilEnded(work(ends.signal), ends.signal))
    } catch (error) {
      throw this.#error(error, operation, key, ends.signal)
    } finally {
      ends.clear()
    }
  }

  /** Runs `work` on batches of keys, several at once; a bad key fails alone. Results are in the keys' order. */
  #many<Result>(
    operation: OperationName,
    keys: KeyInput,
    options: OperationOptions | undefined,
    batchSize: number,
    work: (batch: string[], signal: AbortSignal | undefined) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
  ): Promise<Result[]> {
    return this.#run(operation, undefined, options, async signal => {
      const batches = keyBatches(keys, batchSize, operation, this.name)
      const results = await mapBounded(batches, this.#driver.concurrency, async batch => {
        if (signal?.aborted) throw endedError(signal, operation, this.name)
        const rules = this.capabilities.keys
        const good = batch.filter(key => keyProblem(key, rules) === undefined) as string[]
        const answers = good.length === 0 ? [] : await work(good, signal)
        let next = 0
        return batch.map(key => {
          try {
            assertKey(key, rules, operation, this.name)
          } catch (error) {
            return failed(String(key), error as StorageError)
          }
          return answers[next++]!
        })
      })
      return results.flat()
    })
  }

  async #assertConditions(
    operation: OperationName,
    options: { ifMatch?: unknown; ifNoneMatch?: unknown },
    signal: AbortSignal | undefined,
  ) {
    const { ifMatch, ifNoneMatch } = options
    const writes = operation !== 'download' && operation !== 'info'
    if (writes && ifNoneMatch !== undefined && ifNoneMatch !== '*')
      throw this.#invalid(operation, "ifNoneMatch can only be '*' here")
    if (writes && operation === 'upload' && ifMatch !== undefined && ifNoneMatch !== undefined)
      throw this.#invalid(operation, 'give ifMatch or ifNoneMatch, not both')
    for (const [condition, value] of Object.entries({ ifMatch, ifNoneMatch })) {
      if (value === undefined) continue
      if (typeof value !== 'string' || !/^[\x21\x23-\x7e\x80-\xff]+$/.test(value))
        throw this.#invalid(operation, `${condition} must be an etag as info() gives it, without quotes`)
      const needed = CONDITIONS[operation]?.[condition as 'ifMatch']
      if (needed === undefined || !(await this.#can(needed, signal))) {
        throw unsupported(
          operation,
          this.name,
          `the store does not keep ${condition} here (capabilities.${needed}); nothing was done`,
        )
      }
    }
  }

  async #can(name: CapabilitySwitch, signal: AbortSignal | undefined): Promise<boolean> {
    const known = this.capabilities[name]
    return known === 'unknown' ? this.#driver.ask(name, signal) : known
  }

  #signRequest(
    operation: 'signedUrl' | 'signedUrls',
    options: SignedUrlOptions,
    signal: AbortSignal | undefined,
  ): SignRequest {
    this.#check(operation, options)
    const able = this.capabilities.signedUrl
    if (able === false) throw unsupported(operation, this.name, 'this provider signs no URLs')
    const { method = 'GET', download, contentType, expiresIn } = options ?? {}
    assertExpiresIn(expiresIn, able.maxExpiresIn, operation, this.name)
    if (!['GET', 'HEAD', 'PUT', 'DELETE'].includes(method))
      throw this.#invalid(operation, 'method must be GET, HEAD, PUT or DELETE')
    if (!able.methods.includes(method))
      throw unsupported(operation, this.name, `the store signs ${able.methods.join(', ')}, not ${method}`)
    if (!this.capabilities.writable && (method === 'PUT' || method === 'DELETE'))
      throw this.#readOnly(operation)
    if (contentType !== undefined) {
      if (method !== 'PUT') throw this.#invalid(operation, 'contentType goes with method PUT')
      assertContentType(contentType, operation, this.name)
    }
    if (download !== undefined && download !== false) {
      if (method !== 'GET') throw this.#invalid(operation, 'download goes with method GET')
      if (
        download !== true &&
        (typeof download !== 'string' ||
          download === '' ||
          !download.isWellFormed() ||
          /[\x00-\x1f\x7f]/.test(download))
      ) {
        throw this.#invalid(operation, 'download must be true or a file name')
      }
    }
    return {
      expiresIn,
      method,
      contentType,
      signal,
      download: download === true ? '' : download || undefined,
    }
  }

  #check(operation: OperationName, options: object | undefined): void {
    this.#assertOpen(operation)
    assertOptions(operation, options, this.name)
  }

  #assertOpen(operation: string): void {
    if (this.#closed !== undefined) throw this.#invalid(operation, 'the provider has been closed')
  }

  #assertWritable(operation: OperationName): void {
    if (!this.capabilities.writable) throw this.#readOnly(operation)
  }

  #readOnly(operation: string): StorageError {
    return unsupported(operation, this.name, 'this provider is read-only')
  }

  #invalid(operation: string, problem: string): StorageError {
    return new StorageError('invalid-argument', `${operation}: ${problem}`, {
      operation,
      provider: this.name,
    })
  }

  #error(
    error: unknown,
    operation: string,
    key: string | undefined,
    signal: AbortSignal | undefined,
  ): StorageError {
    const translate = (thrown: unknown) => this.#driver.translate(thrown)
    return toStorageError(error, {
      operation,
      provider: this.name,
      signal,
      translate,
      ...(key === undefined ? {} : { key }),
    })
  }
}

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

const NO_BYTES = { chunks: async function* () {}, cancel() {} }

function failedResult(key: string, error: StorageError): { key: string; ok: false; error: StorageError } {
  return { key, ok: false, error }
}

function commonOf(options: OperationOptions = {}): OperationOptions {
  const { signal, timeoutMs } = options
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
}

function assertExpiresIn(
  expiresIn: unknown,
  most: number | undefined,
  operation: string,
  provider: string,
): void {
  const limit = most ?? MAX_EXPIRES_IN
  if (typeof expiresIn === 'number' && Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= limit)
    return
  throw new StorageError(
    'invalid-argument',
    `${operation}: expiresIn must be whole seconds from 1 to ${limit}`,
    { operation, provider },
  )
}
