import { mapBounded } from '../../core/batches.ts'
import { type Capabilities, OWN_STORE } from '../../core/capabilities.ts'
import type {
  CopyRequest,
  Driver,
  HeadRequest,
  ListAnswer,
  ListRequest,
  ReadAnswer,
  ReadRequest,
  RemoveManyRequest,
  RemoveRequest,
  Translation,
  WriteRequest,
} from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { locationOf } from '../../core/location.ts'
import type { KeyEntry } from '../../core/options.ts'
import { rangePastEnd, spanOf } from '../../core/range.ts'
import type { DeleteResult, ObjectInfo } from '../../core/results.ts'
import { type TokenUrls, tokenUrls } from '../../core/token-urls.ts'
import { alreadyExists, Commits, type Conditions, notFound, type OnStep } from './commit.ts'
import { copyBytes } from './copy-bytes.ts'
import { fileSource } from './file-source.ts'
import { foldedKey, keyRules } from './file-system.ts'
import { Folders } from './folders.ts'
import { KeyLocks } from './key-lock.ts'
import { KeyPaths } from './key-path.ts'
import { Lister } from './lister.ts'
import { assertLocalOptions, type LocalOptions } from './local-options.ts'
import { ObjectFiles } from './object-files.ts'
import { seal } from './seal.ts'
import { newEtag, Sidecars, type StoredAttributes } from './sidecar.ts'
import { sweep } from './sweep.ts'
import { TempFile } from './temp-file.ts'
import { Workspace } from './workspace.ts'

/** Calls under way at once where there are many: Node's own pool has four threads. */
const CONCURRENCY = 8

export class LocalDriver implements Driver {
  readonly name = 'local'
  readonly location: string
  readonly capabilities: Capabilities
  readonly deleteBatchSize = 1000
  readonly signBatchSize = 1000
  readonly concurrency = CONCURRENCY
  readonly #workspace: Workspace
  readonly #sidecars: Sidecars
  readonly #files: ObjectFiles
  readonly #locks: KeyLocks
  readonly #commits: Commits
  readonly #lister: Lister
  readonly #urls: TokenUrls
  readonly #durable: boolean
  readonly #now: () => number
  readonly #onStep: OnStep
  #sweeping: Promise<void> | undefined

  /** `onStep` is called between the steps of a change: for tests that stop the process there. */
  constructor(options: LocalOptions, onStep: OnStep = () => {}) {
    assertLocalOptions(options)
    this.#now = options.now ?? Date.now
    this.#durable = options.durability !== 'process'
    this.#onStep = onStep
    this.#workspace = new Workspace(options.root)
    const { root, meta, locks } = this.#workspace
    const rules = keyRules(root)
    const paths = new KeyPaths()
    const folders = new Folders(root, this.#durable)
    this.#sidecars = new Sidecars(meta, foldedKey(rules))
    this.#files = new ObjectFiles(paths, folders, this.#sidecars)
    this.#locks = new KeyLocks(locks)
    this.#commits = new Commits(paths, folders, this.#sidecars, this.#files, this.#locks, onStep)
    this.#lister = new Lister(folders, paths, this.#files)
    this.#urls = tokenUrls(options.signing, this.#now)
    const { baseUrl } = this.#urls
    this.location = locationOf('file', baseUrl === undefined ? [root] : [root, baseUrl])
    this.capabilities = {
      ...OWN_STORE,
      keys: rules,
      ...this.#urls.capabilities,
    }
  }

  async ask(): Promise<boolean> {
    return false
  }

  async write({ key, body, attributes, checksum: asked, ...request }: WriteRequest): Promise<ObjectInfo> {
    await this.#prepare()
    // Decided again under the lock: here it only spares a body that would be written in vain.
    if (request.ifMatch !== undefined || request.ifNoneMatch !== undefined)
      await this.#commits.assertConditions(key, request, await this.#files.find(key))
    const temp = await TempFile.create(this.#workspace.temp, this.#sidecars.keyHash(key))
    try {
      this.#onStep('after temp')
      const checksum = await temp.fill(body, asked)
      return await this.#publish(key, temp, { ...attributes, etag: newEtag(checksum), checksum }, request)
    } finally {
      await temp.dispose()
    }
  }

  async read({ key, range, signal, ...conditions }: ReadRequest): Promise<ReadAnswer> {
    const opened = await this.#files.open(key)
    if (opened === undefined) throw notFound()
    const { handle, info } = opened
    try {
      assertEtag(info, conditions)
      const span = range && spanOf(range, info.size)
      if (range !== undefined && span === undefined) throw rangePastEnd(key, info.size, this.name)
      const source = fileSource(handle, span ?? { offset: 0, length: info.size }, signal)
      return span === undefined ? { info, source } : { info, span, source }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async head({ key, ...conditions }: HeadRequest): Promise<ObjectInfo> {
    const info = await this.#files.head(key)
    if (info === undefined) throw notFound()
    assertEtag(info, conditions)
    return info
  }

  async listPage(request: ListRequest): Promise<ListAnswer> {
    if (request.cursor === undefined) await this.#workspace.assertFolder()
    return this.#lister.page(request)
  }

  async copy({ from, to, attributes, ifMatch, ifNoneMatch, signal }: CopyRequest): Promise<ObjectInfo> {
    // Nothing is made in a root that has nothing to copy.
    await this.#source(from, ifMatch)
    await this.#prepare()
    if (ifNoneMatch !== undefined && (await this.#files.find(to))) throw alreadyExists()
    const copied = await copyBytes(this.#files, from, this.#workspace.temp, this.#sidecars.keyHash(to))
    if (copied === undefined) throw notFound()
    const { temp, info } = copied
    try {
      assertEtag(info, { ifMatch })
      const { key: _, size: __, etag: ___, lastModified: ____, ...kept } = info
      const stored = { ...kept, ...attributes, etag: newEtag(info.checksum) }
      return await this.#publish(to, temp, stored, { ifNoneMatch, signal })
    } finally {
      await temp.dispose()
    }
  }

  async move(request: CopyRequest): Promise<ObjectInfo> {
    const { from, to, ifMatch, signal } = request
    // Where the file system folds cases, two keys may be one file: it would be gone with the source.
    if (this.#sidecars.keyHash(from) === this.#sidecars.keyHash(to)) return this.copy(request)
    const { etag } = await this.#source(from, ifMatch)
    await this.#prepare()
    const renamed = await this.#rename(request)
    if (renamed !== undefined) return renamed
    const info = await this.copy({ ...request, ifMatch: etag })
    await this.#commits.remove(from, etag, signal)
    return info
  }

  remove({ key, ifMatch, signal }: RemoveRequest): Promise<DeleteResult> {
    return this.#remove(key, ifMatch, signal)
  }

  async #remove(
    key: string,
    ifMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DeleteResult> {
    if (ifMatch !== undefined) await this.#source(key, ifMatch)
    else if ((await this.#files.find(key)) === undefined) return { key, status: 'missing' }
    await this.#prepare()
    const removed = await this.#commits.remove(key, ifMatch, signal)
    return { key, status: removed ? 'deleted' : 'missing' }
  }

  removeMany(entries: readonly KeyEntry[], { signal }: RemoveManyRequest): Promise<DeleteResult[]> {
    return mapBounded(entries, CONCURRENCY, async ({ key }) => {
      if (signal?.aborted) throw signal.reason
      return this.#remove(key, undefined, signal)
    })
  }

  signMany: Driver['signMany'] = (keys, request) => this.#urls.signMany(keys, request)
  signUpload: Driver['signUpload'] = request => this.#urls.signUpload(request)
  publicUrl = (key: string) => this.#urls.publicUrl(key)

  /** `lastModified` is a time that we set, by this clock: see `TempFile.stamp`. */
  async clock(): Promise<Date> {
    return new Date(this.#now())
  }

  async close(): Promise<void> {
    await this.#sweeping
    await this.#locks.close()
  }

  translate(error: unknown): Translation | undefined {
    const code = (error as { code?: unknown } | null)?.code
    return typeof code === 'string' ? CODES[code] : undefined
  }

  /** Makes what the adapter needs in the root; the first time, clears away what killed processes left there. */
  async #prepare(): Promise<void> {
    await this.#workspace.ready()
    this.#sweeping ??= sweep({
      workspace: this.#workspace,
      locks: this.#locks,
      sidecars: this.#sidecars,
      files: this.#files,
      now: Date.now,
      random: Math.random,
    }).catch(() => {
      // Left for the next process: nobody waits for it, and what is left is in nobody's way.
    })
  }

  async #publish(
    key: string,
    temp: TempFile,
    stored: StoredAttributes,
    { signal, ...conditions }: Conditions & { signal: AbortSignal | undefined },
  ): Promise<ObjectInfo> {
    this.#onStep('after body')
    const sealed = await seal(temp, key, stored, {
      sidecars: this.#sidecars,
      durable: this.#durable,
      now: this.#now,
    })
    this.#onStep('after seal')
    try {
      await this.#commits.place(key, sealed, conditions, signal)
    } catch (error) {
      if (!temp.isPlaced) await sealed.undo()
      throw error
    }
    return this.#files.toInfo(key, sealed.file, stored)
  }

  async #source(key: string, ifMatch: string | undefined): Promise<ObjectInfo> {
    const info = await this.#files.head(key)
    if (info === undefined) throw notFound()
    assertEtag(info, { ifMatch })
    return info
  }

  /** Undefined where only a copy will do. */
  async #rename({
    from,
    to,
    attributes,
    signal,
    ...conditions
  }: CopyRequest): Promise<ObjectInfo | undefined> {
    let info: ObjectInfo | undefined
    const moved = await this.#commits.move(from, to, conditions, signal, async (source, before) => {
      const { key: _, size: __, etag: ___, lastModified: ____, ...kept } = before
      const stored = { ...kept, ...attributes, etag: newEtag(before.checksum) }
      if (!(await this.#sidecars.write(to, source.file, stored, this.#durable))) return false
      info = this.#files.toInfo(to, source.file, stored)
      return true
    })
    return moved ? info : undefined
  }
}

/** What the operating system says and the core has no word for. */
const CODES: Record<string, Translation> = {
  ENAMETOOLONG: {
    code: 'invalid-key',
    message: 'the path of the key under this root is longer than the file system takes',
  },
  ENOENT: { code: 'conflict', message: 'files that the root needs were removed meanwhile; try again' },
  ENOTDIR: { code: 'conflict', message: 'a folder that the root needs was replaced meanwhile; try again' },
}

function assertEtag(
  info: ObjectInfo,
  { ifMatch, ifNoneMatch }: { ifMatch?: string | undefined; ifNoneMatch?: string | undefined },
): void {
  if (ifMatch !== undefined && info.etag !== ifMatch)
    throw new StorageError('precondition-failed', 'the object has another etag by now')
  if (ifNoneMatch !== undefined && info.etag === ifNoneMatch)
    throw new StorageError('precondition-failed', 'the object has not changed', { status: 304 })
}
