import type { Capabilities } from '../../core/capabilities.ts'
import type {
  AbortUploadRequest,
  CopyRequest,
  Driver,
  HeadRequest,
  ListAnswer,
  ListRequest,
  ReadAnswer,
  ReadRequest,
  RemoveManyRequest,
  RemoveRequest,
  SignRequest,
  SignUploadRequest,
  UnfinishedAnswer,
  UnfinishedRequest,
  WriteRequest,
} from '../../core/driver.ts'
import { invalidArgument, unsupported } from '../../core/errors.ts'
import { compareKeys } from '../../core/keys.ts'
import type { KeyEntry } from '../../core/options.ts'
import type {
  DeleteResult,
  KeyResult,
  ObjectInfo,
  SignedUpload,
  SignedUrl,
  UnfinishedUpload,
} from '../../core/provider.ts'
import { bothCapabilities } from './both-capabilities.ts'
import { CompareReads } from './compare-reads.ts'
import { cutOverLocation } from './cut-over-location.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { listBoth } from './list-both.ts'
import { otherSide, SIDES, type Side } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'
import { downloadEither, infoEither, type Reading } from './read-either.ts'
import { removeBoth } from './remove-both.ts'
import { signEither, signUploadOnFirst } from './sign-either.ts'
import { copyBoth, writeBoth } from './write-both.ts'

/** What an application's calls do to the two sides, by the phase that this process holds. */
export class CutOverDriver implements Driver {
  readonly deleteBatchSize = 500
  readonly signBatchSize = 500
  readonly concurrency = 8
  readonly #set: CutOverSet
  readonly #lease: PhaseLease
  readonly #reading: Reading
  #capabilities: Capabilities | undefined

  constructor(set: CutOverSet, lease: PhaseLease) {
    this.#set = set
    this.#lease = lease
    this.#reading = { set, lease, compare: new CompareReads(set) }
  }

  get name() {
    return this.#set.side('from').name
  }

  get location() {
    return cutOverLocation(this.#set.side('from').location, this.#set.side('to').location)
  }

  /** Once: what a store finds out only when it is asked are its conditions, which are none of these. */
  get capabilities() {
    this.#capabilities ??= bothCapabilities(
      this.#set.side('from').capabilities,
      this.#set.side('to').capabilities,
    )
    return this.#capabilities
  }

  async ask(): Promise<boolean> {
    return false
  }

  write(request: WriteRequest): Promise<ObjectInfo> {
    return writeBoth(this.#set, this.#lease, request)
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    return downloadEither(this.#reading, request)
  }

  head(request: HeadRequest): Promise<ObjectInfo> {
    return infoEither(this.#reading, request)
  }

  listPage(request: ListRequest): Promise<ListAnswer> {
    return listBoth(this.#set, this.#lease, request)
  }

  copy(request: CopyRequest): Promise<ObjectInfo> {
    return copyBoth(this.#set, this.#lease, request)
  }

  async move(request: CopyRequest): Promise<ObjectInfo> {
    const info = await copyBoth(this.#set, this.#lease, request)
    if (request.from !== request.to) {
      const [result] = await removeBoth(this.#set, this.#lease, [request.from], request.signal)
      if (result!.status === 'error') throw result!.error
    }
    return info
  }

  async remove({ key, signal }: RemoveRequest): Promise<DeleteResult> {
    const [result] = await removeBoth(this.#set, this.#lease, [key], signal)
    return result!
  }

  removeMany(entries: readonly KeyEntry[], { signal }: RemoveManyRequest): Promise<DeleteResult[]> {
    const keys = entries.map(({ key }) => key)
    return removeBoth(this.#set, this.#lease, keys, signal)
  }

  signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]> {
    return signEither(this.#set, this.#lease, keys, request)
  }

  signUpload(request: SignUploadRequest): Promise<SignedUpload> {
    return signUploadOnFirst(this.#set, this.#lease, request)
  }

  publicUrl(): string {
    throw unsupported(
      'publicUrl',
      this.name,
      'an address that is given out for ever would outlive the phase it is of',
    )
  }

  readonly unfinished = {
    page: (request: UnfinishedRequest): Promise<UnfinishedAnswer> => this.#unfinishedPage(request),
    abort: async ({ key, uploadId, signal }: AbortUploadRequest): Promise<void> => {
      const [side, id] = [uploadId.slice(0, uploadId.indexOf(':')), uploadId.slice(uploadId.indexOf(':') + 1)]
      if (side !== 'from' && side !== 'to')
        throw invalidArgument(
          'abortUpload',
          this.name,
          'uploadId must be one as unfinishedUploads() gives it',
        )
      await this.#set.side(side).abortUpload(key, id, signal === undefined ? {} : { signal })
    },
  }

  /** All of both sides at once: they are few, and those of one key must stand on one page. */
  async #unfinishedPage({ prefix, startAfter, signal }: UnfinishedRequest): Promise<UnfinishedAnswer> {
    const { rules } = await this.#lease.begin('unfinishedUploads', false)
    const uploads: UnfinishedUpload[] = []
    const sides: Side[] = rules.usesSecond ? [rules.first, otherSide(rules.first)] : [rules.first]
    for (const side of sides) {
      const store = this.#set.side(side)
      if (!store.capabilities.unfinishedUploads) continue
      const options = { prefix, ...(startAfter !== undefined && { startAfter }), ...(signal && { signal }) }
      for await (const upload of store.unfinishedUploads(options))
        uploads.push({ ...upload, uploadId: `${side}:${upload.uploadId}` })
    }
    return { uploads: uploads.sort((a, b) => compareKeys(a.key, b.key)) }
  }

  async clock(signal: AbortSignal | undefined): Promise<Date> {
    const { rules } = await this.#lease.begin('clock', false)
    return this.#set.side(rules.first).clock(signal === undefined ? {} : { signal })
  }

  async close(): Promise<void> {
    await this.#reading.compare.settled()
    await this.#lease.close()
    await Promise.all(SIDES.map(side => this.#set.side(side).close()))
  }

  translate(): undefined {}
}
