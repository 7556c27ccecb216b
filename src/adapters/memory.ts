/** Objects in this process's memory: for tests and for trying things out. */
import { randomUUID } from 'node:crypto'
import { type Capabilities, OWN_STORE } from '../core/capabilities.ts'
import { type Checksum, digest } from '../core/checksum.ts'
import { defineProvider } from '../core/define-provider.ts'
import type {
  Attributes,
  CopyRequest,
  Driver,
  HeadRequest,
  ListAnswer,
  ListRequest,
  ReadAnswer,
  ReadRequest,
  RemoveRequest,
  WriteRequest,
} from '../core/driver.ts'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { ANY_KEY, compareKeys } from '../core/keys.ts'
import { foldEntries } from '../core/listing.ts'
import { locationOf } from '../core/location.ts'
import type { KeyEntry } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { rangePastEnd, spanOf } from '../core/range.ts'
import type { DeleteResult, ObjectInfo } from '../core/results.ts'
import { type TokenUrls, tokenUrls } from '../core/token-urls.ts'
import type { UrlSigning } from '../core/url-token.ts'

export interface MemoryOptions {
  /** Makes signed URLs possible: give the same to the server. */
  signing?: UrlSigning
  /** Largest object in bytes. Default: 2 GiB. */
  maxObjectBytes?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/**
 * A provider that keeps everything in memory and forgets it with the process.
 *
 * @throws `invalid-argument` for an unknown option, or one that is no such thing
 * @example
 * ```ts
 * const files = memory()
 * await files.upload('a/hello.txt', 'Hello')
 * ```
 */
export function memory(options: MemoryOptions = {}): StorageProvider {
  return defineProvider(new MemoryDriver(options))
}

interface StoredObject {
  readonly bytes: Uint8Array
  readonly info: ObjectInfo
}

class MemoryDriver implements Driver {
  readonly name = 'memory'
  /** A store of its own in each instance, and none of another process's. */
  readonly location = locationOf('memory', [randomUUID()])
  readonly capabilities: Capabilities
  readonly deleteBatchSize = 1000
  readonly signBatchSize = 1000
  readonly concurrency = 1
  readonly #objects = new Map<string, StoredObject>()
  readonly #urls: TokenUrls
  readonly #now: () => number
  readonly #maxBytes: number
  /** The keys in order, until one comes or goes. */
  #sorted: string[] | undefined
  #writes = 0

  constructor(options: MemoryOptions) {
    assertOptions(options)
    this.#now = options.now ?? Date.now
    this.#maxBytes = options.maxObjectBytes ?? 2 ** 31
    this.#urls = tokenUrls(options.signing, this.#now)
    this.capabilities = {
      ...OWN_STORE,
      keys: ANY_KEY,
      maxObjectBytes: this.#maxBytes,
      ...this.#urls.capabilities,
    }
  }

  async ask(): Promise<boolean> {
    return false
  }

  async write({ key, body, attributes, checksum, ifNoneMatch, ifMatch }: WriteRequest): Promise<ObjectInfo> {
    const bytes = body.bytes === undefined ? await this.#collect(body.chunks()) : Uint8Array.from(body.bytes)
    // Conditions are checked and the object is set in one turn of the event loop: nothing comes between.
    this.#assertReplaceable(key, ifNoneMatch, ifMatch)
    const kept: Checksum =
      checksum === undefined
        ? { algorithm: 'sha256', value: digest('sha256', bytes) }
        : { algorithm: checksum.algorithm, value: body.digest! }
    const info = this.#set(key, bytes, attributes, kept)
    body.sent(bytes.length)
    return info
  }

  async #collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    let size = 0
    for await (const chunk of chunks) {
      size += chunk.length
      if (size > this.#maxBytes)
        throw new StorageError(
          'too-large',
          `the body is longer than the ${this.#maxBytes} bytes that memory takes`,
        )
      // The caller may use its buffer again.
      parts.push(Uint8Array.from(chunk))
    }
    return Buffer.concat(parts)
  }

  #set(key: string, bytes: Uint8Array, attributes: Attributes, checksum: Checksum): ObjectInfo {
    const before = this.#objects.get(key)
    const generation = (this.#writes++).toString(36)
    const info: ObjectInfo = Object.freeze({
      ...attributes,
      key,
      size: bytes.length,
      // The generation makes two writes of the same bytes two etags: a lost update is noticed.
      etag: `${digest('sha256', bytes).slice(0, 16)}-${generation}`,
      lastModified: new Date(Math.max(this.#now(), before?.info.lastModified?.getTime() ?? 0)),
      metadata: Object.freeze({ ...attributes.metadata }),
      checksum: Object.freeze({ ...checksum }),
    })
    if (before === undefined) this.#sorted = undefined
    this.#objects.set(key, { bytes, info })
    return given(info)
  }

  async read({ range, ...request }: ReadRequest): Promise<ReadAnswer> {
    const { bytes, info } = this.#find(request)
    const span = range && spanOf(range, info.size)
    if (range !== undefined && span === undefined) throw rangePastEnd(info.key, info.size, this.name)
    const part = span === undefined ? bytes : bytes.subarray(span.offset, span.offset + span.length)
    const source = {
      bytes: async () => Uint8Array.from(part),
      async *chunks() {
        for (let at = 0; at < part.length; at += 65_536) {
          if (request.signal?.aborted) throw request.signal.reason
          yield Uint8Array.from(part.subarray(at, at + 65_536))
        }
      },
      cancel() {},
    }
    const answer = { info: given(info), source }
    return span === undefined ? answer : { ...answer, span }
  }

  async head(request: HeadRequest): Promise<ObjectInfo> {
    return given(this.#find(request).info)
  }

  async listPage({ prefix, delimiter, startAfter, limit }: ListRequest): Promise<ListAnswer> {
    this.#sorted ??= [...this.#objects.keys()].sort(compareKeys)
    const infos = this.#sorted.filter(key => key.startsWith(prefix)).map(key => this.#objects.get(key)!.info)
    const entries = [...foldEntries(infos, prefix, delimiter, startAfter)]
    const page = entries.slice(0, limit).map(entry => (entry.kind === 'object' ? given(entry) : entry))
    return { entries: page, done: entries.length <= limit }
  }

  async copy(request: CopyRequest): Promise<ObjectInfo> {
    return this.#copy(request)
  }

  #copy({ from, to, attributes, ifNoneMatch, ifMatch }: CopyRequest): ObjectInfo {
    const source = this.#find({ key: from, ifMatch })
    this.#assertReplaceable(to, ifNoneMatch, undefined)
    const { key: _, size: __, etag: ___, lastModified: ____, checksum, ...kept } = source.info
    return this.#set(to, source.bytes, { ...kept, ...attributes }, checksum!)
  }

  async move(request: CopyRequest): Promise<ObjectInfo> {
    // In one turn: what is stored under the source a moment later is not what was moved.
    const info = this.#copy(request)
    if (request.from !== request.to) this.#delete(request.from)
    return info
  }

  async remove({ key, ifMatch }: RemoveRequest): Promise<DeleteResult> {
    if (ifMatch !== undefined) this.#find({ key, ifMatch })
    return { key, status: this.#delete(key) ? 'deleted' : 'missing' }
  }

  async removeMany(entries: readonly KeyEntry[]): Promise<DeleteResult[]> {
    return entries.map(({ key }) => ({ key, status: this.#delete(key) ? 'deleted' : 'missing' }))
  }

  signMany: Driver['signMany'] = (keys, request) => this.#urls.signMany(keys, request)
  signUpload: Driver['signUpload'] = request => this.#urls.signUpload(request)
  publicUrl = (key: string) => this.#urls.publicUrl(key)

  async clock(): Promise<Date> {
    return new Date(this.#now())
  }

  async close(): Promise<void> {
    this.#objects.clear()
  }

  translate(): undefined {}

  #delete(key: string): boolean {
    const had = this.#objects.delete(key)
    if (had) this.#sorted = undefined
    return had
  }

  #find({
    key,
    ifMatch,
    ifNoneMatch,
  }: Pick<HeadRequest, 'key' | 'ifMatch'> & { ifNoneMatch?: string }): StoredObject {
    const object = this.#objects.get(key)
    if (object === undefined) throw new StorageError('not-found', 'nothing is stored under this key')
    if (ifMatch !== undefined && object.info.etag !== ifMatch)
      throw new StorageError('precondition-failed', 'the object has another etag by now')
    if (ifNoneMatch !== undefined && object.info.etag === ifNoneMatch)
      throw new StorageError('precondition-failed', 'the object has not changed', { status: 304 })
    return object
  }

  #assertReplaceable(key: string, ifNoneMatch: '*' | undefined, ifMatch: string | undefined): void {
    if (ifNoneMatch !== undefined && this.#objects.has(key))
      throw new StorageError('already-exists', 'something is stored under this key')
    if (ifMatch !== undefined && this.#objects.get(key)?.info.etag !== ifMatch)
      throw new StorageError('precondition-failed', 'the object has another etag by now, or is gone')
  }
}

/** @throws `invalid-argument` */
function assertOptions(options: MemoryOptions): void {
  assertFactoryOptions(
    'memory',
    options,
    { signing: 'object', maxObjectBytes: 'number', now: 'function' },
    'memory',
  )
  const { maxObjectBytes } = options
  if (maxObjectBytes === undefined || (Number.isSafeInteger(maxObjectBytes) && maxObjectBytes >= 0)) return
  throw new StorageError('invalid-argument', 'memory: maxObjectBytes must be a whole number of bytes', {
    provider: 'memory',
  })
}

/** Dates can be changed by whoever holds them: a caller gets one of its own. */
function given<Info extends ObjectInfo>(info: Info): Info {
  return { ...info, lastModified: new Date(info.lastModified!) }
}
