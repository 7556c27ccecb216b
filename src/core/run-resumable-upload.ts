import { assertConditions } from './conditions.ts'
import { SNIFF_BYTES, typeOfBytes, typeOfName } from './content-type.ts'
import { untilEnded } from './deadline.ts'
import type { Driver, ResumableRequest } from './driver.ts'
import { invalidArgument, StorageError, unsupported } from './errors.ts'
import { PartReader } from './part-reader.ts'
import { harmless } from './progress.ts'
import type { ObjectInfo } from './results.ts'
import type { RangeSource, ResumableUploadOptions, UploadedPart } from './resumable-upload.ts'
import { assertSize, checkedAttributes } from './upload.ts'

const OPERATION = 'uploadResumable'
/** Stores make upload ids as long as they like, and tokens are somewhat longer. */
const MAX_TOKEN_CHARACTERS = 16_384

/** Runs a resumable upload whose key has been checked. All options are read before the first wait. */
export async function runResumableUpload(
  driver: Driver,
  key: string,
  source: RangeSource,
  options: ResumableUploadOptions,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const write = driver.writeResumable
  if (!driver.capabilities.resumableUpload || write === undefined)
    throw unsupported(
      OPERATION,
      driver.name,
      'this store has no uploads that go on later (capabilities.resumableUpload); use upload; nothing was done',
    )
  assertArguments(driver.name, source, options)
  const { size } = source
  const given = checkedAttributes(driver, options, OPERATION)
  const { ifNoneMatch, ifMatch, resume, partBytes, concurrency, onToken, onPart } = options
  const onProgress = harmless(options.onProgress)
  assertSize(driver, OPERATION, key, size)
  await untilEnded(assertConditions(driver, OPERATION, { ifNoneMatch, ifMatch }, signal), signal)
  const parts = new PartReader(source)
  let loaded = 0
  const progress = (bytes: number) => {
    loaded += bytes
    onProgress?.({ loaded, total: size })
  }
  const request: ResumableRequest = {
    key,
    source: parts,
    attributes: { ...given, contentType: given.contentType ?? (await typeOf(key, parts, signal)) },
    ifNoneMatch,
    ifMatch,
    resume,
    partBytes,
    concurrency,
    begun: onToken && (token => told('onToken', () => onToken(token), signal)),
    kept: progress,
    async stored(part) {
      progress(part.end - part.start)
      if (onPart !== undefined) await told('onPart', () => onPart(part), signal)
    },
    signal,
  }
  return write.call(driver, request)
}

async function typeOf(key: string, parts: PartReader, signal: AbortSignal | undefined): Promise<string> {
  const named = await typeOfName(key)
  if (named !== undefined) return named
  const { size } = parts
  if (size === 0) return typeOfBytes(new Uint8Array(0))
  const { bytes, release } = await parts.read(0, Math.min(size, SNIFF_BYTES), signal)
  const type = await typeOfBytes(bytes)
  release()
  return type
}

/** Waits for a caller who notes what he is told: where he can't, going on would be in vain. */
async function told(
  name: 'onToken' | 'onPart',
  tell: () => void | Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await untilEnded((async () => tell())(), signal)
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new StorageError('aborted', `${name} failed, so the upload was ended`, { cause })
  }
}

function assertArguments(provider: string, source: RangeSource, options: ResumableUploadOptions): void {
  const refuse = (problem: string) => invalidArgument(OPERATION, provider, problem)
  if (typeof source !== 'object' || source === null || typeof source.read !== 'function')
    throw refuse('the source must be an object with size and read(start, end)')
  if (!isWhole(source.size, 0)) throw refuse('size must be a whole number of bytes')
  const { resume, partBytes, concurrency } = options
  if (partBytes !== undefined && !isWhole(partBytes, 1))
    throw refuse('partBytes must be a whole number above 0')
  if (concurrency !== undefined && !isWhole(concurrency, 1))
    throw refuse('concurrency must be a whole number above 0')
  for (const name of ['onToken', 'onPart', 'onProgress'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw refuse(`${name} must be a function`)
  if (resume === undefined) return
  const { token, parts } = resume ?? {}
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || token.length > MAX_TOKEN_CHARACTERS)
    throw refuse('resume.token must be one that onToken told')
  if (!Array.isArray(parts) || !parts.every(isPart)) throw refuse('resume.parts must be what onPart told')
}

function isPart(part: UploadedPart | null | undefined): boolean {
  const { start, end, sha256, etag } = part ?? {}
  if (!isWhole(start, 0) || !isWhole(end, 1) || start! >= end!) return false
  return /^[0-9a-f]{64}$/.test(String(sha256)) && (etag === undefined || typeof etag === 'string')
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least
}
