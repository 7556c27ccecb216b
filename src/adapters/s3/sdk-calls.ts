import { Readable } from 'node:stream'
import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  CreateMultipartUploadCommandInput,
  S3Client,
  UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3'
import type { Attributes } from '../../core/driver.ts'
import type { Link, S3Connection } from './connection.ts'
import { CopySource, type Source, type SourceInput } from './copy-source.ts'
import { encodeMetadataValue } from './metadata-codec.ts'
import { wireHeaders } from './object-headers.ts'
import type { S3Settings } from './options.ts'
import { send } from './transport.ts'

/** A part that has been stored, as its completion names it. */
export interface StoredPart {
  readonly PartNumber: number
  readonly ETag: string
  readonly ChecksumSHA256?: string
  readonly ChecksumSHA1?: string
  readonly ChecksumCRC32?: string
}

export interface UploadId {
  readonly key: string
  readonly uploadId: string
}

export interface Conditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: '*' | undefined
}

/** The rare requests, by the SDK: it knows their documents, and repeats what is safe to repeat. */
export class SdkCalls {
  readonly #connection: S3Connection
  readonly #settings: S3Settings
  readonly #copySource: CopySource
  #client: S3Client | undefined

  constructor(connection: S3Connection, settings: S3Settings) {
    this.#connection = connection
    this.#settings = settings
    this.#copySource = new CopySource(settings.bucket)
  }

  async createMultipart(
    key: string,
    attributes: Attributes,
    algorithm: CreateMultipartUploadCommandInput['ChecksumAlgorithm'],
    signal: AbortSignal | undefined,
  ): Promise<UploadId> {
    const { sdk, client } = await this.#sdk()
    const command = new sdk.CreateMultipartUploadCommand({
      ...this.#target(key),
      ...this.attributes(attributes),
      ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm }),
    })
    const { UploadId } = await client.send(command, { abortSignal: signal })
    if (!UploadId) throw new Error('the server began a multipart upload without giving it an id')
    return { key, uploadId: UploadId }
  }

  async completeMultipart(
    { key, uploadId }: UploadId,
    parts: readonly StoredPart[],
    conditions: Conditions,
    signal: AbortSignal | undefined,
  ) {
    const { sdk, client } = await this.#sdk()
    const command = new sdk.CompleteMultipartUploadCommand({
      ...this.#target(key),
      UploadId: uploadId,
      MultipartUpload: { Parts: [...parts] },
      ...conditionInput(conditions),
    })
    return client.send(command, { abortSignal: signal })
  }

  async abortMultipart({ key, uploadId }: UploadId, signal?: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#sdk()
    const command = new sdk.AbortMultipartUploadCommand({ ...this.#target(key), UploadId: uploadId })
    await client.send(command, { abortSignal: signal })
  }

  /** Whether any part is listed. */
  async hasParts({ key, uploadId }: UploadId, signal?: AbortSignal): Promise<boolean> {
    const { sdk, client } = await this.#sdk()
    const command = new sdk.ListPartsCommand({ ...this.#target(key), UploadId: uploadId, MaxParts: 1 })
    const { Parts } = await client.send(command, { abortSignal: signal })
    return (Parts?.length ?? 0) > 0
  }

  async copy(
    source: Source,
    input: Omit<CopyObjectCommandInput, 'Bucket' | keyof SourceInput>,
    signal: AbortSignal | undefined,
  ): Promise<CopyObjectCommandOutput> {
    const { sdk, client } = await this.#sdk()
    const all = { Bucket: this.#settings.bucket, ...this.#encryption(), ...input }
    return this.#copySource.copy(source, named =>
      client.send(new sdk.CopyObjectCommand({ ...all, ...named }), { abortSignal: signal }),
    )
  }

  async copyPart(
    { key, uploadId }: UploadId,
    source: Source,
    input: Omit<UploadPartCopyCommandInput, 'Bucket' | 'Key' | 'UploadId' | keyof SourceInput>,
    signal: AbortSignal | undefined,
  ): Promise<StoredPart> {
    const { sdk, client } = await this.#sdk()
    const all = { ...this.#target(key), UploadId: uploadId, ...input }
    const { CopyPartResult } = await this.#copySource.copy(source, named =>
      client.send(new sdk.UploadPartCopyCommand({ ...all, ...named }), { abortSignal: signal }),
    )
    return { PartNumber: input.PartNumber!, ETag: CopyPartResult!.ETag! }
  }

  /** Attributes as the SDK names them. */
  attributes(attributes: Attributes) {
    const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, storageClass } =
      attributes
    const metadata = Object.entries(attributes.metadata ?? {}).map(([name, value]) => [
      name,
      encodeMetadataValue(value),
    ])
    return {
      ContentType: contentType,
      CacheControl: cacheControl,
      ContentDisposition: contentDisposition,
      ContentEncoding: contentEncoding,
      ContentLanguage: contentLanguage,
      StorageClass: storageClass as CreateMultipartUploadCommandInput['StorageClass'],
      Metadata: Object.fromEntries(metadata) as Record<string, string>,
      ...this.#encryption(),
    }
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: key }
  }

  #encryption() {
    const { serverSideEncryption, sseKmsKeyId } = this.#settings
    return {
      ...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
      ...(sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: sseKmsKeyId }),
    }
  }

  async #sdk() {
    const { dispatcher } = await this.#connection.link()
    const { sdk, client } = await this.#connection.sdk()
    this.#client ??= calmClient(client, dispatcher)
    return { sdk, client: this.#client }
  }
}

export function conditionInput({ ifMatch, ifNoneMatch }: Conditions) {
  return {
    ...(ifMatch === undefined ? {} : { IfMatch: `"${ifMatch}"` }),
    ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
  }
}

/**
 * The same client with its credentials, middleware and retries, but with checksums only where S3 requires them
 * (AWS's defaults break other servers) and over the same sockets and time limits as the lean path.
 */
export function calmClient(client: S3Client, dispatcher: Link['dispatcher']): S3Client {
  const config = {
    ...client.config,
    requestChecksumCalculation: async () => 'WHEN_REQUIRED',
    responseChecksumValidation: async () => 'WHEN_REQUIRED',
    requestHandler: { handle: handleWith(dispatcher) },
  }
  return Object.create(client, { config: { value: config } }) as S3Client
}

interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Record<string, string | string[] | null>
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** The SDK's `HttpHandler`. Only control requests pass here: their bodies, both ways, are small documents. */
function handleWith(dispatcher: Link['dispatcher']) {
  return async (request: SdkRequest, options: { abortSignal?: AbortSignal } = {}) => {
    const { method, protocol, hostname, port, path, headers, body } = request
    const query = queryText(request.query)
    const answer = await send(dispatcher, {
      method,
      origin: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`,
      path: query === '' ? path : `${path}?${query}`,
      headers: wireHeaders({ ...headers }),
      body: body === undefined || body === null ? undefined : Buffer.from(body as string),
      signal: options.abortSignal,
    })
    const received: Record<string, string> = {}
    for (const [name, value] of Object.entries(answer.headers)) received[name] = String(value)
    return {
      response: {
        statusCode: answer.status,
        headers: received,
        body: Readable.from([await answer.body.bytes()]),
      },
    }
  }
}

function queryText(query: SdkRequest['query'] = {}): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const parts: string[] = []
  for (const name of Object.keys(query).sort()) {
    const value = query[name]
    if (Array.isArray(value)) for (const each of value) parts.push(`${encode(name)}=${encode(each)}`)
    else parts.push(value === null || value === undefined ? encode(name) : `${encode(name)}=${encode(value)}`)
  }
  return parts.join('&')
}
