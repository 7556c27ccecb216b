import type { Capabilities } from '../core/capabilities.ts'
import { OWN_STORE } from '../core/capabilities.ts'
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
  SignRequest,
  SignUploadRequest,
  WriteRequest,
} from '../core/driver.ts'
import { StorageError, unsupported } from '../core/errors.ts'
import { ANY_KEY } from '../core/keys.ts'
import { locationOf } from '../core/location.ts'
import type { OwnOptions } from '../core/options.ts'
import type { DeleteResult, KeyResult, ObjectInfo, SignedUpload, SignedUrl } from '../core/provider.ts'
import { copyFile, moveFile } from './copy-file.ts'
import { deleteFiles } from './delete-files.ts'
import { listPage } from './list-files.ts'
import { metRecord, metRecords } from './meet-files.ts'
import { ownOptionsOf } from './own-options.ts'
import type { PreparedUploads } from './prepared-uploads.ts'
import { conditionProblem } from './publish.ts'
import { readFile } from './read-file.ts'
import { type FileRecord, infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { signedFiles, signFiles } from './sign-files.ts'
import { stageUpload } from './stage-upload.ts'
import { uploadFile } from './upload-file.ts'

/**
 * A store whose truth is in the database. `defineProvider` makes a provider of it, as of every adapter; what is special
 * about each method stands in a file of its own.
 */
export class RecordsDriver implements Driver {
  readonly deleteBatchSize = 1000
  readonly signBatchSize = 500
  readonly concurrency = 8
  readonly ownOptions: OwnOptions = {
    upload: ['also', 'transaction'],
    delete: ['also', 'transaction'],
    deleteMany: ['also', 'transaction'],
    copy: ['also', 'transaction'],
    move: ['also', 'transaction'],
  }
  readonly #set: RecordSet
  readonly #ends: boolean

  /** @param ends whether closing it closes provider and engine: a view of another tenant's shares them */
  constructor(set: RecordSet, ends: boolean) {
    this.#set = set
    this.#ends = ends
  }

  get name() {
    return this.#set.provider.name
  }

  /** What is stored under a key, the database says: so the tenant counts beside the store, also where it owns all of it. */
  get location() {
    const { provider, tenant, options } = this.#set
    return `${provider.location}${locationOf('records', [tenant, options.root ?? `${tenant}/`])}`
  }

  /** Conditions, keys and metadata are the database's; headers and URLs are the store's, which serves them. */
  get capabilities(): Capabilities {
    const inner = this.#set.provider.capabilities
    const { signedUrl, signedUpload } = inner
    return {
      ...OWN_STORE,
      layers: ['records', ...inner.layers],
      cacheControl: inner.cacheControl,
      contentDisposition: inner.contentDisposition,
      contentEncoding: inner.contentEncoding,
      contentLanguage: inner.contentLanguage,
      storageClass: inner.storageClass,
      writable: inner.writable,
      keys: ANY_KEY,
      ...(inner.maxObjectBytes === undefined ? {} : { maxObjectBytes: inner.maxObjectBytes }),
      signedUrl: signedUrl && {
        ...signedUrl,
        methods: signedUrl.methods.filter(method => method === 'GET' || method === 'HEAD'),
        checksExistence: true,
        bindsContentType: false,
      },
      signedUpload: signedUpload && { ...signedUpload, finalizes: true },
      // The physical key, and with it the address, is known after a question to the database only.
      publicUrl: false,
    }
  }

  async ask(): Promise<boolean> {
    return false
  }

  write(request: WriteRequest): Promise<ObjectInfo> {
    return uploadFile(this.#set, request)
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    return readFile(this.#set, request)
  }

  async head(request: HeadRequest): Promise<ObjectInfo> {
    const record = await metRecord(this.#set, request.key, { signal: request.signal })
    return infoOf(checkedRecord(this.#set, record, request, 'info'))
  }

  readonly headMany = {
    batchSize: 500,
    ask: (keys: readonly string[], signal: AbortSignal | undefined) => headMany(this.#set, keys, signal),
  }

  listPage(request: ListRequest): Promise<ListAnswer> {
    return listPage(this.#set, request)
  }

  copy(request: CopyRequest): Promise<ObjectInfo> {
    return copyFile(this.#set, request)
  }

  move(request: CopyRequest): Promise<ObjectInfo> {
    return moveFile(this.#set, request)
  }

  async remove({ key, ifMatch, signal, own }: RemoveRequest): Promise<DeleteResult> {
    const given = ownOptionsOf(this.#set, 'delete', own)
    const [result] = await deleteFiles(this.#set, [key], { operation: 'delete', ifMatch, signal, ...given })
    return result!
  }

  removeMany(
    entries: readonly { readonly key: string }[],
    { signal, own }: RemoveManyRequest,
  ): Promise<DeleteResult[]> {
    const given = ownOptionsOf(this.#set, 'deleteMany', own)
    const keys = entries.map(entry => entry.key)
    return deleteFiles(this.#set, keys, { operation: 'deleteMany', signal, ...given })
  }

  signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]> {
    return signFiles(this.#set, keys, request)
  }

  signUpload(request: SignUploadRequest): Promise<SignedUpload> {
    return stageUpload(this.#set, request)
  }

  publicUrl(): string {
    throw unsupported(
      'publicUrl',
      this.name,
      "a file's address is its physical key's; ask physicalKey() first",
    )
  }

  clock(signal: AbortSignal | undefined): Promise<Date> {
    return this.#set.provider.clock({ signal })
  }

  async close(): Promise<void> {
    if (!this.#ends) return
    await this.#set.provider.close()
    await this.#set.engine.close()
  }

  translate(): undefined {}
}

/** What `prepareUpload` is made of: an upload that stops before its publication. What it returns is the prepared one. */
export class PreparingDriver extends RecordsDriver {
  override readonly ownOptions = {}
  readonly #uploads: PreparedUploads

  constructor(set: RecordSet, uploads: PreparedUploads) {
    super(set, false)
    this.#uploads = uploads
  }

  override async write(request: WriteRequest): Promise<ObjectInfo> {
    return (await this.#uploads.prepare(request)) as ObjectInfo
  }
}

/** What `signedFiles` is made of: signing that tells of the files, too. What `signedUrls` returns is both. */
export class SigningDriver extends RecordsDriver {
  readonly #set: RecordSet

  constructor(set: RecordSet) {
    super(set, false)
    this.#set = set
  }

  override async signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]> {
    return (await signedFiles(this.#set, keys, request)) as KeyResult<never>[]
  }
}

/** One query for all: nothing is asked of the store. */
async function headMany(
  set: RecordSet,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<KeyResult<ObjectInfo>[]> {
  const records = await metRecords(set, [...new Set(keys)], { signal })
  return keys.map(key => {
    const record = records.get(key)
    if (record !== undefined) return { key, ok: true, value: infoOf(record) }
    return { key, ok: false, error: noFile(set, 'infoMany', key) }
  })
}

function noFile(set: RecordSet, operation: string, key: string): StorageError {
  return new StorageError('not-found', `${operation}: there is no file under this key`, {
    operation,
    key,
    provider: set.provider.name,
  })
}

/** The record, where it is there and as asked for. @throws `not-found`, `precondition-failed` */
export function checkedRecord(
  set: RecordSet,
  record: FileRecord | undefined,
  { key, ifMatch, ifNoneMatch }: Pick<HeadRequest, 'key' | 'ifMatch' | 'ifNoneMatch'>,
  operation: string,
): FileRecord {
  const details = { operation, key, provider: set.provider.name }
  if (record === undefined) throw noFile(set, operation, key)
  const problem = conditionProblem(record, { ifMatch }, details)
  if (problem !== undefined) throw problem
  if (ifNoneMatch !== undefined && record.generation === ifNoneMatch)
    throw new StorageError('precondition-failed', `${operation}: the file has not changed`, {
      ...details,
      status: 304,
    })
  return record
}
