/** Sources of images: where they may come from, and what their failures are to the client. */
import { untilEnded } from '../../core/deadline.ts'
import { isStorageError, type StorageError } from '../../core/errors.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { fetchSource } from './fetch-source.ts'
import { ImageRefusal, noImage, unreachable } from './image-refusal.ts'
import type { DevImageSource, DevImagesOptions } from './options.ts'

type Places = Pick<DevImagesOptions, 'local' | 'buckets' | 'origins' | 'source' | 'querySeparator'>

/** What imgproxy answers where a store fails; what is not here is 502. */
const STATUS: Partial<Record<StorageError['code'], number>> = {
  'not-found': 404,
  'invalid-key': 404,
  'invalid-argument': 404,
  unauthenticated: 401,
  'permission-denied': 403,
  'rate-limited': 429,
  timeout: 504,
}

/** @throws a refusal for a source that may not be read or that can't */
export async function openSource(url: string, places: Places, signal: AbortSignal): Promise<DevImageSource> {
  try {
    const given = await untilEnded(
      Promise.resolve(places.source?.(url, { signal })),
      signal,
      late => late && closeSource(late),
    )
    if (given !== undefined) return given
    const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? []
    switch (scheme.toLowerCase()) {
      case 'http':
      case 'https':
        return await fetchSource(url, places.origins ?? [], signal)
      case 'local':
        if (!rest.startsWith('/')) throw unreachable('a local source begins with local:///')
        return await stored(places.local, 'local', rest.slice(1), places, signal)
      case 's3': {
        const [bucket = '', ...key] = rest.split('/')
        const provider = Object.hasOwn(places.buckets ?? {}, bucket) ? places.buckets![bucket] : undefined
        return await stored(provider, 'the bucket in buckets', key.join('/'), places, signal)
      }
      default:
        throw unreachable('the source is neither http, https, s3 nor local: write its scheme')
    }
  } catch (error) {
    throw asRefusal(error, signal)
  }
}

/** All bytes of a source. @throws a refusal for one with more than `most` bytes, or that breaks in the middle */
export async function readSource(
  { body }: DevImageSource,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    if (body.length > most) throw tooLarge(most)
    return body
  }
  const chunks: Uint8Array[] = []
  let read = 0
  try {
    for await (const chunk of untilAborted(body, signal)) {
      read += chunk.length
      if (read > most) throw tooLarge(most)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ImageRefusal || isStorageError(error)) throw asRefusal(error, signal)
    signal.throwIfAborted()
    throw new ImageRefusal(422, 'Source response is incomplete', 'the source broke off')
  }
  return Buffer.concat(chunks, read)
}

/** Who gives up waits for nothing: a source that hangs may not know of signals. */
async function* untilAborted(body: AsyncIterable<Uint8Array>, signal: AbortSignal) {
  const chunks = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await untilEnded(chunks.next(), signal)
      if (done === true) return
      yield value
    }
  } finally {
    close(chunks)
  }
}

/** Gives back what a source holds that need not be read. */
export function closeSource({ body }: DevImageSource): void {
  if (!(body instanceof Uint8Array)) close(body[Symbol.asyncIterator]())
}

/** The image is made, or not, whatever comes of this. */
function close(chunks: AsyncIterator<Uint8Array>): void {
  chunks.return?.().catch(() => {})
}

async function stored(
  provider: StorageProvider | undefined,
  option: string,
  key: string,
  { querySeparator = '?' }: Places,
  signal: AbortSignal,
): Promise<DevImageSource> {
  if (provider === undefined) throw unreachable(`no provider was given for this source: set ${option}`)
  const cut = querySeparator === '' ? -1 : key.indexOf(querySeparator)
  const download = await provider.download(cut === -1 ? key : key.slice(0, cut), { signal })
  const { etag, lastModified, contentType } = download.info
  return { body: download, etag, lastModified, contentType }
}

function asRefusal(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (!isStorageError(error)) return error
  return unreachable(`the store says ${error.code}`, STATUS[error.code] ?? 502)
}

function tooLarge(most: number): ImageRefusal {
  return noImage(`the source has more than the ${most} bytes of maxSourceBytes`)
}
