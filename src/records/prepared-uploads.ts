/**
 * Uploads in two halves, for callers whose transaction keeps the engine from writing: the bytes are put, and their
 * intent journaled, before it begins; inside it they are published.
 */
import type { WriteRequest } from '../core/driver.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { UploadOptions } from '../core/options.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { JOIN_KINDS } from './known-options.ts'
import { meetFiles } from './meet-files.ts'
import { type JoinOptions, ownOptionsOf } from './own-options.ts'
import type { PublicationPart } from './publish.ts'
import { infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { abandonWrite } from './run-write-job.ts'
import {
  assertFinalizeOptions,
  type FinalizeOptions,
  prepareFinalized,
  publishFinalized,
} from './stage-upload.ts'
import { putBody } from './upload-file.ts'
import { type PreparedFile, prepareFile, publishPrepared } from './write-file.ts'

/** Bytes that are stored and not published yet: no reader sees them. */
export interface PreparedUpload {
  readonly key: string
  readonly size: number
  /** The file's, once it is published; also the operation that `settle` takes. */
  readonly etag: string
}

/** As for an upload. Conditions, `also` and `transaction` are decided where it is published. */
export type PrepareOptions = Omit<UploadOptions, 'ifMatch' | 'ifNoneMatch' | 'sameContent'>

export type PrepareFinalizeOptions = Omit<FinalizeOptions, 'ifMatch' | 'ifNoneMatch' | keyof JoinOptions>

export interface PublishOptions extends JoinOptions {
  /** Only where nothing is stored under the key: else `already-exists`. */
  ifNoneMatch?: '*'
  /** Only over the file with this etag: else `precondition-failed`. */
  ifMatch?: string
}

type Held =
  | { readonly uploadId: undefined; readonly prepared: PreparedFile }
  | { readonly uploadId: string; readonly prepared: PreparedFile; readonly part: PublicationPart | undefined }
  /** A signed upload that was finalized before. */
  | { readonly known: ObjectInfo }

/** What one record set has prepared. */
export class PreparedUploads {
  readonly #set: RecordSet
  readonly #held = new WeakMap<PreparedUpload, Held>()
  readonly #attempts = new WeakMap<PreparedUpload, number>()

  constructor(set: RecordSet) {
    this.#set = set
  }

  /** @param request checked as an upload's */
  async prepare(request: WriteRequest): Promise<PreparedUpload> {
    const { key, ifMatch, ifNoneMatch } = request
    if (ifMatch !== undefined || ifNoneMatch !== undefined)
      throw this.#set.refuse('prepareUpload', 'conditions are decided at the end; give them to publish()')
    await meetFiles(this.#set, [key], { signal: request.signal })
    const put = (physical: string, lost: AbortSignal) => putBody(this.#set, request, physical, lost)
    return this.#hold({ uploadId: undefined, prepared: await prepareFile(this.#set, key, 'upload', put) })
  }

  async prepareFinalize(uploadId: string, options: PrepareFinalizeOptions = {}): Promise<PreparedUpload> {
    assertFinalizeOptions(this.#set, options)
    for (const name of ['also', 'transaction', 'ifMatch', 'ifNoneMatch'])
      if ((options as Record<string, unknown>)[name] !== undefined)
        throw this.#set.refuse('prepareFinalize', `give ${name} to publish()`)
    const found = await prepareFinalized(this.#set, uploadId, options)
    return this.#hold('known' in found ? found : { uploadId, part: undefined, ...found })
  }

  async publish(upload: PreparedUpload, options: PublishOptions = {}): Promise<ObjectInfo> {
    const set = this.#set
    const held = this.#of(upload, 'publish')
    const { also, transaction, ifMatch, ifNoneMatch } = options
    assertFactoryOptions('publish', options, { ...JOIN_KINDS, ifMatch: 'string', ifNoneMatch: 'string' })
    if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
      throw set.refuse('publish', "ifNoneMatch can only be '*'")
    if (ifMatch !== undefined && ifNoneMatch !== undefined)
      throw set.refuse('publish', 'give ifMatch or ifNoneMatch, not both')
    const joins = ownOptionsOf(set, 'publish', { also, transaction })
    if ('known' in held) return held.known
    const { prepared, uploadId } = held
    const attempt = (this.#attempts.get(upload) ?? 0) + 1
    this.#attempts.set(upload, attempt)
    const conditions = { ifMatch, ifNoneMatch, attempt, ...joins }
    if (uploadId !== undefined)
      return publishFinalized(set, uploadId, { prepared, part: held.part, ...conditions })
    const { key } = prepared
    return infoOf(await publishPrepared(set, { operation: 'upload', key, prepared, ...conditions }))
  }

  async discard(upload: PreparedUpload): Promise<void> {
    const held = this.#of(upload, 'discard')
    if ('known' in held) return
    held.prepared.settled()
    await abandonWrite(this.#set, held.prepared)
  }

  #hold(held: Held): PreparedUpload {
    const upload = 'known' in held ? uploadOf(held.known) : uploadOfPrepared(held.prepared)
    this.#held.set(upload, held)
    return upload
  }

  #of(upload: PreparedUpload, operation: string): Held {
    const held = this.#held.get(upload)
    if (held !== undefined) return held
    throw this.#set.refuse(
      operation,
      'takes what prepareUpload() or prepareFinalize() of these files returned',
    )
  }
}

function uploadOf({ key, size, etag = '' }: ObjectInfo): PreparedUpload {
  return { key, size, etag }
}

function uploadOfPrepared({ id, key, stored }: PreparedFile): PreparedUpload {
  return { key, size: stored.size, etag: id }
}
