import type { UploadBody } from '../../core/body.ts'
import { SNIFF_BYTES } from '../../core/content-type.ts'
import { deadline } from '../../core/deadline.ts'
import { keyProblem } from '../../core/keys.ts'
import { normalizeMetadata } from '../../core/metadata.ts'
import { wholeBytes } from '../../core/open-body.ts'
import { settledOptions, type UploadOptions } from '../../core/options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { describeFile } from '../describe/describe.ts'
import { imageInMemory } from '../describe/image-file.ts'
import { imageType } from '../describe/image-type.ts'
import { type DescribedCall, describeOrTell, letOthersPass } from './describe-or-tell.ts'
import type { ImageMetadataSettings } from './image-metadata-options.ts'
import { StreamedBody } from './streamed-body.ts'

type Send<T> = (body: UploadBody, options: UploadOptions | undefined) => Promise<T>

/** Sends an upload on, with the metadata of its image where it is one. */
export async function describeUpload<T>(
  { operation, key, provider }: Pick<DescribedCall, 'operation' | 'key'> & { provider: StorageProvider },
  settings: ImageMetadataSettings,
  body: UploadBody,
  options: UploadOptions | undefined,
  send: Send<T>,
): Promise<T> {
  // A wrong argument is refused below, as every wrong argument is, and before the body is read.
  if (options !== undefined && (typeof options !== 'object' || options === null)) return send(body, options)
  const { name, capabilities } = provider
  if (keyProblem(key, capabilities.keys) !== undefined) return send(body, options)
  if ((options?.size ?? 0) > (capabilities.maxObjectBytes ?? Infinity)) return send(body, options)
  const metadata = normalizeMetadata(options?.metadata, 'upload', name)
  // The time counts for all that is done here and below, not for each again.
  const ends = deadline(options, 'upload', name)
  const { signal } = ends
  const inside = {
    ...settledOptions(options ?? {}),
    ...(signal === undefined ? {} : { signal, timeoutMs: undefined }),
  }
  const upload: Upload<T> = {
    call: { operation, key, provider: name, signal },
    settings,
    metadata,
    inside,
    send,
  }
  try {
    if (body instanceof Blob) return await sendBlob(upload, body)
    if (isStream(body)) return await sendStream(upload, body)
    return await sendWhole(upload, body)
  } finally {
    ends.clear()
  }
}

interface Upload<T> {
  readonly call: DescribedCall
  readonly settings: ImageMetadataSettings
  /** The caller's. */
  readonly metadata: Record<string, string> | undefined
  readonly inside: UploadOptions
  readonly send: Send<T>
}

async function sendWhole<T>(
  { call, settings, metadata, inside, send }: Upload<T>,
  body: UploadBody,
): Promise<T> {
  // Text is SVG at most, and most texts are none: they are not copied to find out.
  const first = wholeBytes(typeof body === 'string' ? body.slice(0, SNIFF_BYTES) : body)?.subarray(
    0,
    SNIFF_BYTES,
  )
  const type = first && (await imageType(first))
  // What can't be sent at all is refused below, as every wrong body is.
  if (first !== undefined && type === undefined) letOthersPass(call, settings)
  if (type === undefined) return send(body, inside)
  const file = imageInMemory(wholeBytes(body)!)
  const recognized = { type, settings: settings.describing, signal: call.signal }
  const described = await describeOrTell(call, settings, metadata, () => describeFile(file, recognized))
  return send(body, withMetadata(inside, described))
}

/** A Blob can be read again: it is described from one stream, and sent as it is. */
async function sendBlob<T>(upload: Upload<T>, body: Blob): Promise<T> {
  const streamed = await StreamedBody.open(body.stream() as unknown as AsyncIterable<unknown>, upload.call)
  const described = await describeStreamed(upload, streamed, body.size).finally(() => streamed?.close())
  return upload.send(body, withMetadata(upload.inside, described))
}

async function sendStream<T>(upload: Upload<T>, body: UploadBody & AsyncIterable<unknown>): Promise<T> {
  const { inside, send } = upload
  const streamed = await StreamedBody.open(body, upload.call)
  if (streamed === undefined) {
    letOthersPass(upload.call, upload.settings)
    return send(body, inside)
  }
  try {
    const described = await describeStreamed(upload, streamed, inside.size)
    const size = inside.size ?? streamed.size
    const sized = size === undefined ? inside : { ...inside, size }
    return await send(streamed.body, withMetadata(sized, described))
  } finally {
    await streamed.close()
  }
}

async function describeStreamed<T>(
  { call, settings, metadata }: Upload<T>,
  streamed: StreamedBody | undefined,
  size: number | undefined,
): Promise<Record<string, string> | undefined> {
  if (streamed?.type === undefined) {
    letOthersPass(call, settings)
    return undefined
  }
  const spooling = { size, folder: settings.temporaryFolder, signal: call.signal }
  return describeOrTell(call, settings, metadata, () => streamed.describe(settings.describing, spooling))
}

function withMetadata(options: UploadOptions, metadata: Record<string, string> | undefined): UploadOptions {
  return metadata === undefined ? options : { ...options, metadata }
}

function isStream(body: unknown): body is UploadBody & AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
