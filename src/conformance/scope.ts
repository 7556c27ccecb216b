import { randomUUID } from 'node:crypto'
import type { UploadBody } from '../core/body.ts'
import type { Capabilities } from '../core/capabilities.ts'
import { keyProblem } from '../core/keys.ts'
import { entryName } from '../core/listing.ts'
import type { ListOptions, UploadOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { ObjectInfo } from '../core/results.ts'
import { CannotRun, equal, fails, sameBytes } from './assertions.ts'
import type { ConformanceContext, CreateOptions, HostNeed } from './conformance-context.ts'

/** What one case works in: a provider, a prefix of its own, and ways to look at what is stored. */
export class Scope {
  readonly files: StorageProvider
  readonly context: ConformanceContext
  /** Every key of the case begins with it, but those made by `bareKey`. */
  readonly prefix: string
  readonly #writer: StorageProvider
  readonly #bareKeys = new Set<string>()
  readonly #opened: Scope[] = []

  private constructor(files: StorageProvider, context: ConformanceContext, prefix: string) {
    this.files = files
    this.context = context
    this.prefix = prefix
    this.#writer = context.writer?.(files) ?? files
  }

  /** Opens a provider and asks what it can do. */
  static async open(
    context: ConformanceContext,
    files: StorageProvider | Promise<StorageProvider> = context.create(),
    { probe = true } = {},
  ): Promise<Scope> {
    const scope = new Scope(await files, context, `kit-${randomUUID().slice(0, 13)}/`)
    if (probe) await scope.files.probe()
    return scope
  }

  /** Removes what the case stored and closes its providers. A failure here says nothing about the case. */
  async close(): Promise<void> {
    for (const scope of this.#opened) await scope.close()
    const writer = this.#writer
    const ignore = () => {}
    await (async () => writer.deleteMany(writer.list({ prefix: this.prefix })))().catch(ignore)
    if (this.#bareKeys.size > 0) await writer.deleteMany(this.#bareKeys).catch(ignore)
    await this.files.close().catch(ignore)
  }

  get capabilities(): Capabilities {
    return this.files.capabilities
  }

  key(name: string): string {
    return this.prefix + name
  }

  /** A key without the case's prefix, remembered to be removed. */
  bareKey(key: string): string {
    this.#bareKeys.add(key)
    return key
  }

  /** Whether the provider says that it can hold this key. */
  holds(key: string): boolean {
    return keyProblem(key, this.capabilities.keys) === undefined
  }

  /** The same case over a provider of its own, made with `options`. */
  async with(options: CreateOptions): Promise<Scope> {
    return this.#open(this.context.create(options))
  }

  /** A scope over what a part of the context creates. A bucket that is missing can't be asked what it can do. */
  async host(need: 'createMissingBucket' | 'createFull'): Promise<Scope> {
    return this.#open(this.given(need)(), { probe: need === 'createFull' })
  }

  /** Another provider over the same objects, or the same one where the context gives none. */
  async another(): Promise<StorageProvider> {
    const { another } = this.context
    if (another === undefined) return this.files
    const scope = await this.#open(another.call(this.context, this.files))
    return scope.files
  }

  async #open(
    files: StorageProvider | Promise<StorageProvider>,
    options?: { probe: boolean },
  ): Promise<Scope> {
    const scope = await Scope.open(this.context, files, options)
    this.#opened.push(scope)
    return scope
  }

  /** A part of the context that the case has declared to need. */
  given<Name extends HostNeed>(name: Name): NonNullable<ConformanceContext[Name]> {
    const part = this.context[name]
    if (part === undefined) throw new CannotRun(`the context gives no ${name}`)
    return part.bind(this.context) as NonNullable<ConformanceContext[Name]>
  }

  /** Sends a request to a signed URL. */
  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    return this.given('fetch')(url, { redirect: 'manual', ...init }, this.files)
  }

  /** Stores what a case starts from, also where the provider itself is read-only. */
  async put(key: string, body: UploadBody = key, options?: UploadOptions): Promise<ObjectInfo> {
    if (!this.#writer.capabilities.writable)
      throw new CannotRun('the provider is read-only and the context gives no writer')
    return this.#writer.upload(key, body, options)
  }

  /** Removes what a case has put. */
  async remove(key: string): Promise<void> {
    await this.#writer.delete(key)
  }

  async bytes(key: string, files: StorageProvider = this.files): Promise<Uint8Array> {
    return (await files.download(key)).bytes()
  }

  /** Names under a prefix, the case's own by default, without the case's prefix. */
  async names(options: ListOptions = {}, files: StorageProvider = this.files): Promise<string[]> {
    const names: string[] = []
    for await (const entry of files.list({ ...options, prefix: options.prefix ?? this.prefix })) {
      const name = entryName(entry)
      names.push(name.startsWith(this.prefix) ? name.slice(this.prefix.length) : name)
    }
    return names
  }

  /** Asserts that `key` holds exactly these bytes, by every method that looks. */
  async holdsBytes(
    key: string,
    expected: Uint8Array | string,
    files: StorageProvider = this.files,
  ): Promise<void> {
    const bytes = typeof expected === 'string' ? Buffer.from(expected) : expected
    const shown = JSON.stringify(key)
    sameBytes(await this.bytes(key, files), bytes, `content of ${shown}`)
    equal((await files.info(key)).size, bytes.length, `info(${shown}).size`)
    equal(await files.exists(key), true, `exists(${shown})`)
  }

  /** Asserts that nothing is stored under `key`, by every method that looks. */
  async isAbsent(key: string, files: StorageProvider = this.files): Promise<void> {
    const shown = JSON.stringify(key)
    equal(await files.exists(key), false, `exists(${shown})`)
    await fails(() => files.info(key), 'not-found', `info(${shown})`)
    await fails(async () => (await files.download(key)).bytes(), 'not-found', `download(${shown})`)
    const listed: string[] = []
    for await (const entry of files.list({ prefix: key })) listed.push(entryName(entry))
    equal(listed.includes(key), false, `whether ${shown} is listed`)
  }
}
