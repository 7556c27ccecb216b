import type { ObjectInfo, StorageProvider } from '../core/provider.ts'
import type {
  RangeSource,
  ResumableUploadOptions,
  ResumedUpload,
  UploadedPart,
} from '../core/resumable-upload.ts'
import { type ContentIdentity, identityOf } from '../core/same-content.ts'
import { resolvedUpload } from './retry-upload.ts'
import type { Tries } from './tries.ts'

/** Bytes that are read at once to know a source's checksum. */
const STEP_BYTES = 8 * 2 ** 20

/**
 * Uploads with several tries, each of which goes on with what the one before has sent. Without an `onToken` of the
 * caller's a failed try removes it, for after the last one nobody else would, and the next begins anew.
 */
export function retryResumable(
  inner: StorageProvider,
  key: string,
  source: RangeSource,
  options: ResumableUploadOptions | undefined,
  tries: Tries,
): Promise<ObjectInfo> {
  const next = resuming(options)
  const upload = () => inner.uploadResumable(key, source, next())
  return resolvedUpload(inner, key, upload, () => contentOf(source, tries.signal), options, tries)
}

/** The options of each next try. */
function resuming(options: ResumableUploadOptions | undefined): () => ResumableUploadOptions | undefined {
  // What is no function is refused below.
  if (typeof options?.onToken !== 'function') return () => options
  const { onToken, onPart } = options
  if (onPart !== undefined && typeof onPart !== 'function') return () => options
  let resume: ResumedUpload | undefined = options.resume
  const sent = new Map<number, UploadedPart>()
  return () => {
    if (resume !== undefined && sent.size > 0) {
      const earlier = resume.parts.filter(({ start }) => !sent.has(start))
      resume = { token: resume.token, parts: [...earlier, ...sent.values()] }
      sent.clear()
    }
    return {
      ...options,
      ...(resume === undefined ? {} : { resume }),
      onToken(token) {
        resume = { token, parts: [] }
        sent.clear()
        return onToken(token)
      },
      onPart(part) {
        sent.set(part.start, part)
        return onPart?.(part)
      },
    }
  }
}

async function contentOf(source: RangeSource, signal: AbortSignal | undefined): Promise<ContentIdentity> {
  const identity = identityOf()
  for (let start = 0; start < source.size; start += STEP_BYTES) {
    const given = await source.read(start, Math.min(source.size, start + STEP_BYTES), signal)
    if (given instanceof Uint8Array) identity.watch(given)
    else for await (const chunk of given) identity.watch(chunk)
  }
  return identity.result()
}
