import type { HttpRequest, HttpResponse, HttpStack, Upload } from 'tus-js-client'
import { eitherSignal } from '../../core/deadline.ts'
import type { Attributes } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { loadPeer } from '../../core/peer.ts'
import { type Bucket, insertOrReplace } from './bucket.ts'
import { ChunkSource, type SourceBody, type SourceChunk } from './chunk-source.ts'
import type { ApiAnswer, StorageApi } from './storage-api.ts'
import { failureOf } from './storage-failure.ts'

const ENDPOINT = '/upload/resumable'
/** Milliseconds before each new try of a chunk whose request or answer was lost. */
const RETRY_DELAYS = [0, 500, 2000]

/** Whether TUS stores `cacheControl` as given: the server takes seconds only, and else stores `no-cache`. */
export function keepsCacheControl(cacheControl: string | undefined): boolean {
  return cacheControl === undefined || cacheControl === 'no-cache' || /^max-age=\d+$/.test(cacheControl)
}

/**
 * Sends the body in chunks, one held at a time. What is under `name` stays until the last has arrived; a failure or
 * an abort takes back what was sent.
 *
 * @returns the bytes stored
 */
export async function uploadResumable(
  bucket: Bucket,
  name: string,
  body: SourceBody,
  attributes: Attributes,
  signal: AbortSignal | undefined,
): Promise<number> {
  const source = new ChunkSource(body, bucket.settings.chunkSizeBytes)
  const size = body.size
  const send = (headers: Readonly<Record<string, string>>) =>
    tusUpload(bucket, { name, size, attributes, source, headers, signal })
  await insertOrReplace(send, () => source.given === 0)
  return source.given
}

/** Where tus-js-client takes its chunks from. */
export interface TusSource {
  readonly size: number
  slice(start: number, end: number): Promise<{ value: SourceChunk | null; done: boolean }>
  close(): void
}

interface TusOptions {
  readonly name: string
  /** Absent: known when the source has ended. */
  readonly size: number | undefined
  readonly attributes: Attributes
  readonly source: TusSource
  /** Sent with every chunk: what may be replaced is asked again each time. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
  /** Goes on with the upload of this address. */
  readonly url?: string
  readonly onUrl?: (url: string) => void
  /** Whether what was sent stays when the upload fails. */
  readonly keeps?: () => boolean
}

/** One upload from its begin, or from where it had come, to its end. */
export async function tusUpload({ id, api, settings }: Bucket, options: TusOptions): Promise<void> {
  const tus = await loadTus()
  const { name, size, attributes, source, headers, signal, url, onUrl, keeps } = options
  const { contentType, cacheControl, metadata = {} } = attributes
  const seconds = /^max-age=(\d+)$/.exec(cacheControl ?? '')?.[1]
  // Without an endpoint an upload that is gone meanwhile is not begun anew by itself.
  const where = url === undefined ? { endpoint: endpointOf(api) } : { uploadUrl: url }
  await run(api, headers, signal, keeps, (resolve, reject) => {
    const upload = new tus.Upload(Buffer.alloc(0), {
      ...where,
      ...(size === undefined ? { uploadLengthDeferred: true } : { uploadSize: size }),
      chunkSize: settings.chunkSizeBytes,
      metadata: {
        bucketName: id,
        objectName: name,
        ...(contentType === undefined ? {} : { contentType }),
        ...(seconds === undefined ? {} : { cacheControl: seconds }),
        metadata: JSON.stringify(metadata),
      },
      headers: { ...headers },
      retryDelays: RETRY_DELAYS,
      onShouldRetry: error => !signal?.aborted && isWorthAnother(error),
      httpStack: httpStack(api, signal),
      fileReader: { openFile: async () => source },
      fingerprint: async () => null as unknown as string,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => onUrl?.(upload.url!),
      onSuccess: () => resolve(),
      onError: reject,
    })
    return upload
  })
}

export function endpointOf(api: StorageApi): string {
  return api.connection.storageUrl + ENDPOINT
}

/** Starts an upload and waits for its end; one that fails or is aborted is taken back, unless it is kept. */
async function run(
  api: StorageApi,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
  keeps: () => boolean = () => false,
  make: (resolve: () => void, reject: (reason: unknown) => void) => Upload,
): Promise<void> {
  let upload: Upload | undefined
  let onAbort = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      upload = make(() => resolve(), reject)
      onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted) onAbort()
      else upload.start()
    })
  } catch (error) {
    await upload?.abort(false)
    if (!keeps()) await terminate(api, headers, upload?.url ?? undefined)
    throw causeOf(error)
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function loadTus(): Promise<typeof import('tus-js-client')> {
  return loadPeer(() => import('tus-js-client'), 'an upload in chunks to Supabase', 'tus-js-client')
}

interface TusError {
  readonly causingError?: unknown
  readonly originalResponse?: HttpResponse | null
}

/** A lost connection, a server that failed, an offset that is another than thought: the library asks and goes on. */
function isWorthAnother(error: TusError): boolean {
  if (error.causingError instanceof StorageError) return false
  const response = error.originalResponse
  if (!response) return true
  const status = response.getStatus()
  if (status === 409) return !response.getBody().includes('already exists')
  return status === 423 || status === 429 || status >= 500
}

/** The library wraps everything, and puts headers into its messages. */
function causeOf(error: unknown): unknown {
  const { causingError, originalResponse } = error as TusError
  if (originalResponse) return failureOf(originalResponse.getStatus(), originalResponse.getBody(), {})
  return causingError ?? error
}

/** Under the upload's own headers: without `x-upsert`, one onto an object that exists can't be ended either. */
export async function terminate(
  api: StorageApi,
  headers: Readonly<Record<string, string>>,
  url: string | undefined,
): Promise<void> {
  if (url === undefined) return
  const request = {
    method: 'DELETE',
    path: url.slice(api.connection.storageUrl.length),
    headers: { ...headers, 'tus-resumable': '1.0.0' },
    // Not under the caller's signal: it may be what ended the upload.
    signal: undefined,
  } as const
  // A finished upload is refused, which is as well; one that can't be taken back expires by itself.
  await api.send(request).catch(() => {})
}

/** The library's requests, sent as all others are: with the connection's credentials, its fetch and its limits. */
function httpStack(api: StorageApi, signal: AbortSignal | undefined): HttpStack {
  return {
    getName: () => 'stowage',
    createRequest: (method, url) => tusRequest(api, method, url, signal),
  }
}

function tusRequest(
  api: StorageApi,
  method: string,
  url: string,
  signal: AbortSignal | undefined,
): HttpRequest {
  const headers: Record<string, string> = {}
  const ends = new AbortController()
  return {
    getMethod: () => method,
    getURL: () => url,
    setHeader: (header, value) => {
      headers[header.toLowerCase()] = value
    },
    getHeader: header => headers[header.toLowerCase()],
    setProgressHandler() {},
    getUnderlyingObject: () => undefined,
    abort: async () => ends.abort(),
    async send(chunk: SourceChunk | null | undefined) {
      const answer = await api.send({
        method: method as 'POST',
        path: url.slice(api.connection.storageUrl.length),
        headers,
        ...(chunk ? { bytes: chunk.bytes } : {}),
        signal: eitherSignal(signal, ends.signal),
      })
      return tusResponse(answer, api.connection.storageUrl)
    },
  }
}

function tusResponse({ status, headers, text }: ApiAnswer, storageUrl: string): HttpResponse {
  return {
    getStatus: () => status,
    getBody: () => text,
    getUnderlyingObject: () => undefined,
    getHeader(name) {
      const value = headers.get(name) ?? undefined
      if (value === undefined || name.toLowerCase() !== 'location') return value
      // Behind a proxy the server may know its own address only: what counts is the id at the end.
      return `${storageUrl}${ENDPOINT}/${value.slice(value.lastIndexOf('/') + 1)}`
    },
  }
}
