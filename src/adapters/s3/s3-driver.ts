import type { Capabilities, CapabilitySwitch } from '../../core/capabilities.ts'
import { untilEnded } from '../../core/deadline.ts'
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
  ResumableRequest,
  SignRequest,
  SignUploadRequest,
  Translation,
  UnfinishedParts,
  WriteRequest,
} from '../../core/driver.ts'
import { encodeKey } from '../../core/keys.ts'
import type { KeyEntry } from '../../core/options.ts'
import type { DeleteResult, KeyResult, ObjectInfo, SignedUpload, SignedUrl } from '../../core/results.ts'
import { toStorageError } from '../../core/translate.ts'
import { initialCapabilities, publicBase } from './capabilities.ts'
import { S3Connection } from './connection.ts'
import { copyObject } from './copy.ts'
import { conditionFailure, translate } from './errors.ts'
import { listPage } from './list.ts'
import { bucketLocation } from './location.ts'
import { uploadStream } from './multipart.ts'
import { checkedSettings, type S3Options, type S3Settings } from './options.ts'
import { signPost } from './post-policy.ts'
import { assertLifetime, Presigner } from './presign.ts'
import { Probe } from './probe.ts'
import { headObject, readObject } from './read.ts'
import { removeMany, removeObject } from './remove.ts'
import { uploadResumable } from './resumable.ts'
import { SdkCalls } from './sdk-calls.ts'
import { serverTime } from './server-time.ts'
import { unfinishedParts } from './unfinished.ts'
import { putObject } from './write.ts'

export class S3Driver implements Driver {
  readonly name = 's3'
  readonly location: string
  /** S3 takes no more in one DeleteObjects. */
  readonly deleteBatchSize = 1000
  readonly signBatchSize = 1000
  readonly concurrency = 16
  readonly #settings: S3Settings
  readonly #publicBase: string | undefined
  readonly #connection: S3Connection
  readonly #sdk: SdkCalls
  readonly #presigner: Presigner
  readonly #probe: Probe
  readonly unfinished: UnfinishedParts
  #capabilities: Capabilities

  constructor(options: S3Options) {
    this.#settings = checkedSettings(options)
    this.location = bucketLocation(options)
    this.#capabilities = initialCapabilities(options)
    this.#publicBase = publicBase(options)
    this.#connection = new S3Connection(options, this.#settings)
    this.#sdk = new SdkCalls(this.#connection, this.#settings)
    this.#presigner = new Presigner(this.#connection, this.#settings.windowSeconds)
    this.unfinished = unfinishedParts(this.#connection, this.#sdk)
    this.#probe = new Probe(this.#connection, this.#sdk, this.#settings)
  }

  get capabilities(): Capabilities {
    return this.#capabilities
  }

  ask(capability: CapabilitySwitch, signal: AbortSignal | undefined): Promise<boolean> {
    return untilEnded(this.#ask(capability), signal)
  }

  async #ask(capability: CapabilitySwitch): Promise<boolean> {
    const answers = await this.#probe.ask(capability)
    const found: Partial<Record<CapabilitySwitch, boolean>> = {}
    for (const [name, value] of Object.entries(answers) as [CapabilitySwitch, boolean][]) {
      // What the user has declared stands.
      if (this.#capabilities[name] === 'unknown') found[name] = value
    }
    this.#capabilities = { ...this.#capabilities, ...found }
    return this.#capabilities[capability] === true
  }

  async write(request: WriteRequest): Promise<ObjectInfo> {
    try {
      return await this.#write(request)
    } catch (error) {
      throw conditionFailure(error, request)
    }
  }

  #write(request: WriteRequest): Promise<ObjectInfo> {
    const { bytes } = request.body
    return bytes !== undefined && bytes.length <= this.#settings.multipartThresholdBytes
      ? putObject(this.#connection, this.#settings, request, bytes)
      : uploadStream(this.#connection, this.#sdk, this.#settings, request)
  }

  writeResumable(request: ResumableRequest): Promise<ObjectInfo> {
    return uploadResumable(this.#connection, this.#sdk, this.#settings, request)
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    return readObject(this.#connection, request)
  }

  head(request: HeadRequest): Promise<ObjectInfo> {
    return headObject(this.#connection, request)
  }

  listPage(request: ListRequest): Promise<ListAnswer> {
    return listPage(this.#connection, request)
  }

  async copy(request: CopyRequest): Promise<ObjectInfo> {
    return (await copyObject(this.#connection, this.#sdk, this.#settings, request)).info
  }

  async move(request: CopyRequest): Promise<ObjectInfo> {
    const { from, to, signal } = request
    const { info, sourceEtag } = await copyObject(this.#connection, this.#sdk, this.#settings, request)
    if (from === to) return info
    // What was written over the source meanwhile has not been copied, and stays where the server can tell.
    const ifMatch = this.#capabilities.conditionalDelete === true ? sourceEtag : undefined
    await removeObject(this.#connection, { key: from, ifMatch, signal })
    return info
  }

  remove(request: RemoveRequest): Promise<DeleteResult> {
    return removeObject(this.#connection, request)
  }

  removeMany(entries: readonly KeyEntry[], { signal }: RemoveManyRequest): Promise<DeleteResult[]> {
    return removeMany(this.#connection, entries, {
      method: this.#settings.deleteMethod,
      concurrency: this.concurrency,
      signal,
      toError: (error, key) =>
        toStorageError(error, {
          operation: 'deleteMany',
          provider: this.name,
          key,
          signal,
          translate: thrown => this.translate(thrown),
        }),
    })
  }

  signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]> {
    return this.#presigner.signMany(keys, request)
  }

  async signUpload(request: SignUploadRequest): Promise<SignedUpload> {
    assertLifetime(request.expiresIn)
    return request.maxSize === undefined
      ? this.#presigner.signPut(request)
      : signPost(this.#connection, this.#settings.bucket, request)
  }

  publicUrl(key: string): string {
    return `${this.#publicBase}/${encodeKey(key)}`
  }

  clock(signal: AbortSignal | undefined): Promise<Date> {
    return serverTime(this.#connection, signal)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  translate(error: unknown): Translation | undefined {
    return translate(error, this.#settings.now())
  }
}
