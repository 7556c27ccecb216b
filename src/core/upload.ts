import type { Body, UploadBody } from './body.ts'
import { checksumRequest } from './checksum.ts'
import { assertConditions } from './conditions.ts'
import { assertContentType, typeOfBytes, typeOfName } from './content-type.ts'
import { untilEnded } from './deadline.ts'
import { Download } from './download.ts'
import type { Attributes, Driver, OwnValues, WriteRequest } from './driver.ts'
import { isStorageError, StorageError, unsupported } from './errors.ts'
import { assertHeaderValue, normalizeMetadata } from './metadata.ts'
import { openBody } from './open-body.ts'
import type { ObjectAttributes, OperationName, UploadOptions } from './options.ts'
import type { ObjectInfo } from './results.ts'
import { type ContentIdentity, hasSameContent, identityOf } from './same-content.ts'

/**
 * Runs an upload whose key has been checked: opens the body, finds its type, hands it over. All options are read
 * before the first wait: the caller may use the object again for the next file.
 */
export async function runUpload(
  driver: Driver,
  key: string,
  input: UploadBody,
  options: UploadOptions,
  own: OwnValues,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const given = checkedAttributes(driver, options, 'upload')
  const checksum = checksumRequest(options.checksum, driver.name)
  assertUploadNumbers(options, driver.name)
  const { size, onProgress, sameContent, ifNoneMatch, ifMatch } = options
  await untilEnded(assertConditions(driver, 'upload', { ifNoneMatch, ifMatch }, signal), signal)
  const type = given.contentType ?? (await typeOfName(key))
  const { body, first } = await openBody(input, type === undefined, {
    key,
    provider: driver.name,
    size,
    checksum,
    onProgress,
    signal,
  })
  try {
    assertSize(driver, 'upload', key, body.size)
    const contentType = type ?? (await typeOfBytes(first))
    const request: WriteRequest = {
      key,
      body,
      attributes: { ...given, contentType },
      checksum,
      ifNoneMatch,
      ifMatch,
      own,
      signal,
    }
    return sameContent === 'ok' ? await writeOrSame(driver, request) : await driver.write(request)
  } finally {
    await body.discard()
  }
}

/** Publishing twice the same is fine: a body that is refused because it is there already is compared with what is. */
async function writeOrSame(driver: Driver, request: WriteRequest): Promise<ObjectInfo> {
  const watched = watchedBody(request.body)
  try {
    return await driver.write({ ...request, body: watched.body })
  } catch (error) {
    if (!isStorageError(error, 'already-exists') && driver.translate(error)?.code !== 'already-exists')
      throw error
    const head = { key: request.key, ifMatch: undefined, ifNoneMatch: undefined, signal: request.signal }
    const stored = await driver.head(head).catch(gone => {
      if (!isStorageError(gone, 'not-found') && driver.translate(gone)?.code !== 'not-found') throw gone
      throw new StorageError('conflict', 'what was stored under the key has gone meanwhile; try again')
    })
    const same = await hasSameContent(await watched.identity(), stored, async () => {
      const { info, source } = await driver.read({ ...head, range: undefined })
      return new Download({ info, source })
    })
    if (same) return stored
    throw error
  }
}

/** The same body, hashed as it passes; what the driver leaves unread is read by `identity`. */
function watchedBody(body: Body): { body: Body; identity(): Promise<ContentIdentity> } {
  const seen = identityOf()
  const iterator = body.chunks()[Symbol.asyncIterator]()
  const next = async () => {
    const step = await iterator.next()
    if (!step.done) seen.watch(step.value)
    return step
  }
  const shared: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next }) }
  return {
    body: {
      size: body.size,
      bytes: body.bytes,
      chunks: () => shared,
      sent: loaded => body.sent(loaded),
      discard: () => body.discard(),
      get loaded() {
        return body.loaded
      },
      get digest() {
        return body.digest
      },
    },
    async identity() {
      while (!(await next()).done) {}
      return seen.result()
    },
  }
}

/** Attributes as drivers get them. @throws `invalid-argument`; `unsupported` for one the store does not keep */
export function checkedAttributes(
  driver: Pick<Driver, 'name' | 'capabilities'>,
  options: ObjectAttributes,
  operation: string,
): Attributes {
  const { name, capabilities } = driver
  const attributes: Record<string, unknown> = {}
  if (options.contentType !== undefined) {
    assertContentType(options.contentType, operation, name)
    attributes.contentType = options.contentType
  }
  for (const header of [
    'cacheControl',
    'contentDisposition',
    'contentEncoding',
    'contentLanguage',
    'storageClass',
  ] as const) {
    const value = options[header]
    if (value === undefined) continue
    assertHeaderValue(header, value, operation, name)
    if (!capabilities[header]) throw unsupported(operation, name, `${header} is not kept by this store`)
    attributes[header] = value
  }
  const metadata = normalizeMetadata(options.metadata, operation, name)
  if (metadata !== undefined) {
    if (!capabilities.metadata && Object.keys(metadata).length > 0)
      throw unsupported(operation, name, 'metadata is not kept by this store')
    attributes.metadata = metadata
  }
  return attributes as Attributes
}

function assertUploadNumbers(options: UploadOptions, provider: string): void {
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `upload: ${problem}`, { operation: 'upload', provider })
  const { size, sameContent, ifNoneMatch, onProgress } = options
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0))
    throw refuse('size must be a whole number of bytes')
  if (sameContent !== undefined && sameContent !== 'ok') throw refuse("sameContent can only be 'ok'")
  if (sameContent !== undefined && ifNoneMatch === undefined)
    throw refuse("sameContent goes with ifNoneMatch: '*'")
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw refuse('onProgress must be a function')
}

/** @throws `too-large` where the store takes no object of so many bytes */
export function assertSize(
  driver: Driver,
  operation: OperationName,
  key: string,
  size: number | undefined,
): void {
  const most = driver.capabilities.maxObjectBytes
  if (most === undefined || size === undefined || size <= most) return
  throw new StorageError(
    'too-large',
    `${operation}: ${size} bytes are more than the ${most} that this store takes`,
    { operation, provider: driver.name, key },
  )
}
