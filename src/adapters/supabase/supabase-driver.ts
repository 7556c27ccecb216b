import type { Capabilities } from '../../core/capabilities.ts'
import type {
  CopyRequest,
  Driver,
  HeadRequest,
  ListRequest,
  ReadRequest,
  RemoveRequest,
  ResumableRequest,
  SignRequest,
  SignUploadRequest,
  WriteRequest,
} from '../../core/driver.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { type Bucket, infoOf, serverTime } from './bucket.ts'
import { BucketNames } from './bucket-names.ts'
import { connect } from './connection.ts'
import { listObjects } from './list-objects.ts'
import { bucketLocation } from './location.ts'
import { checkedSettings, type SupabaseOptions } from './options.ts'
import { assertConditions, readObject } from './read-object.ts'
import { removeObject, removeObjects } from './remove-objects.ts'
import { publicUrl, signUpload, signUrls } from './sign-urls.ts'
import { StorageApi } from './storage-api.ts'
import { translateFailure } from './storage-failure.ts'
import { copyObject, moveWithin } from './transfer-object.ts'
import { writeObject } from './write-object.ts'
import { writeResumable } from './write-resumable.ts'

export class SupabaseDriver implements Driver {
  readonly name = 'supabase'
  readonly location: string
  readonly capabilities: Capabilities
  /** The server takes more, but deletes in transactions of so many. */
  readonly deleteBatchSize = 500
  readonly signBatchSize = 1000
  readonly concurrency = 8
  readonly #bucket: Bucket

  constructor(options: SupabaseOptions) {
    const settings = checkedSettings(options)
    const names = new BucketNames(settings)
    const connection = connect(options)
    const api = new StorageApi(connection, settings.requestTimeoutMs)
    this.location = bucketLocation(connection, settings)
    this.#bucket = { id: settings.bucket, api, names, settings }
    this.capabilities = {
      layers: [],
      createOnly: true,
      conditionalReplace: false,
      conditionalRead: true,
      conditionalCopySource: false,
      createOnlyCopy: true,
      conditionalDelete: false,
      metadata: true,
      cacheControl: true,
      contentDisposition: false,
      contentEncoding: false,
      contentLanguage: false,
      storageClass: false,
      checksums: [],
      checksumAlways: false,
      versionedDelete: false,
      unfinishedUploads: false,
      resumableUpload: true,
      deleteReportsMissing: true,
      writable: true,
      keys: names.rules,
      signedUrl: { methods: ['GET'], checksExistence: true, bindsContentType: false, bindsDownload: false },
      signedUpload: {
        choosesExpiry: false,
        size: false,
        maxSize: false,
        contentType: false,
        finalizes: false,
      },
      publicUrl: true,
    }
  }

  async ask(): Promise<boolean> {
    return false
  }

  write = (request: WriteRequest) => writeObject(this.#bucket, request)
  writeResumable = (request: ResumableRequest) => writeResumable(this.#bucket, request)
  read = (request: ReadRequest) => readObject(this.#bucket, request)

  async head(request: HeadRequest): Promise<ObjectInfo> {
    const { key, signal } = request
    const info = await infoOf(this.#bucket, key, this.#bucket.names.nameOf(key), signal)
    assertConditions(info, request)
    return info
  }

  listPage = (request: ListRequest) => listObjects(this.#bucket, request)
  copy = (request: CopyRequest) => copyObject(this.#bucket, request)
  move = (request: CopyRequest) => moveWithin(this.#bucket, request)
  remove = ({ key, signal }: RemoveRequest) => removeObject(this.#bucket, key, signal)
  removeMany: Driver['removeMany'] = (entries, { signal }) =>
    removeObjects(
      this.#bucket,
      entries.map(({ key }) => key),
      signal,
    )
  signMany = (keys: readonly string[], request: SignRequest) => signUrls(this.#bucket, keys, request)
  signUpload = (request: SignUploadRequest) => signUpload(this.#bucket, request)
  publicUrl = (key: string) => publicUrl(this.#bucket, key)
  clock: Driver['clock'] = signal => serverTime(this.#bucket, signal)

  /** Connections are those of the `fetch` in use, shared with the rest of the process. */
  async close(): Promise<void> {}

  translate = translateFailure
}
