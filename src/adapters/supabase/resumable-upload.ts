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
  { id, api, settings }: Bucket,
  name: string,
  body: SourceBody,
  { contentType, cacheControl, metadata = {} }: Attributes,
  signal: AbortSignal | undefined,
): Promise<number> {
  const tus = await loadTus()
  const source = new ChunkSource(body, settings.chunkSizeBytes)
  const seconds = /^max-age=(\d+)$/.exec(cacheControl ?? '')?.[1]
  const send = (headers: Readonly<Record<string, string>>) =>
    run(api, headers, signal, (resolve, reject) => {
      return new tus.Upload(Buffer.alloc(0), {
        endpoint: api.connection.storageUrl + ENDPOINT,
        ...(body.size === undefined ? { uploadLengthDeferred: true } : { uploadSize: body.size }),
        chunkSize: settings.chunkSizeBytes,
        metadata: {
          bucketName: id,
          objectName: name,
          ...(contentType === undefined ? {} : { contentType }),
          ...(seconds === undefined ? {} : { cacheControl: seconds }),
          metadata: JSON.stringify(metadata),
        },
        // With every chunk: what may be replaced is asked again each time.
        headers,
        retryDelays: RETRY_DELAYS,
        onShouldRetry: error => !signal?.aborted && isWorthAnother(error),
        httpStack: httpStack(api, signal),
        fileReader: { openFile: async () => source },
        fingerprint: async () => null as unknown as string,
        storeFingerprintForResuming: false,
        onSuccess: resolve,
        onError: reject,
      })
    })
  await insertOrReplace(send, () => source.given === 0)
  return source.given
}

/** Starts an upload and waits for its end; one that fails or is aborted is taken back. */
async function run(
  api: StorageApi,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
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
    await terminate(api, headers, upload?.url ?? undefined)
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
async function terminate(
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
