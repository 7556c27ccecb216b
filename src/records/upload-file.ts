import { type Checksum, type ComputedAlgorithm, digest, hasher } from '../core/checksum.ts'
import { fileNameOf, inline } from '../core/content-disposition.ts'
import { eitherSignal } from '../core/deadline.ts'
import type { Attributes, WriteRequest } from '../core/driver.ts'
import { StorageError } from '../core/errors.ts'
import type { ObjectInfo, UploadOptions } from '../core/provider.ts'
import type { JoinedTransaction } from '../sql/engine.ts'
import { meetFiles } from './meet-files.ts'
import { ownOptionsOf } from './own-options.ts'
import { conditionProblem } from './publish.ts'
import { infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { type Stored, writeFile } from './write-file.ts'

/** What every file has a checksum of, where the caller asks for no other. */
const DEFAULT_ALGORITHM: ComputedAlgorithm = 'sha256'

export async function uploadFile(set: RecordSet, request: WriteRequest): Promise<ObjectInfo> {
  const { key, ifNoneMatch, ifMatch, own, signal } = request
  const joins = ownOptionsOf(set, 'upload', own)
  const joined = joins.transaction === undefined ? undefined : set.join(joins.transaction)
  await meetFiles(set, [key], { signal, joined })
  await assertConditionNow(set, request, joined)
  const publication = { operation: 'upload', key, ifNoneMatch, ifMatch, ...joins }
  const record = await writeFile(set, publication, (physical, lost) => putBody(set, request, physical, lost))
  return infoOf(record)
}

/** A condition that does not hold now is told before the bytes are sent; it is decided when they are published. */
async function assertConditionNow(
  set: RecordSet,
  request: WriteRequest,
  joined: JoinedTransaction | undefined,
) {
  const { key, ifNoneMatch, ifMatch, signal } = request
  if (ifNoneMatch === undefined && ifMatch === undefined) return
  const record = await set.record(key, { signal }, joined)
  const problem = conditionProblem(
    record,
    { ifNoneMatch, ifMatch },
    { operation: 'upload', key, provider: set.provider.name },
  )
  if (problem !== undefined) throw problem
}

/** Puts the body under its physical key. Its length and its checksum are counted as it passes. */
export async function putBody(
  set: RecordSet,
  { key, body, attributes, checksum, signal }: WriteRequest,
  physical: string,
  lost: AbortSignal,
): Promise<Stored> {
  const algorithm = checksum?.algorithm ?? DEFAULT_ALGORITHM
  const counted = countedBody(body, algorithm, checksum !== undefined)
  const info = await set.provider.upload(physical, counted.body, {
    ...storeAttributes(set, key, attributes),
    ...(body.size === undefined ? {} : { size: body.size }),
    // A key of this form was never used: whatever is there already is not ours.
    ...(set.provider.capabilities.createOnly === true ? { ifNoneMatch: '*' as const } : {}),
    signal: eitherSignal(signal, lost),
  })
  const { size, value } = counted.result()
  if (body.bytes !== undefined) body.sent(size)
  assertKept(set, key, info, { size, checksum: { algorithm, value } })
  return { size, attributes, checksum: { algorithm, value }, info }
}

/** What the store says it has must be what was sent. A checksum it says nothing of is not asked for. */
function assertKept(
  set: RecordSet,
  key: string,
  info: ObjectInfo,
  { size, checksum }: { size: number; checksum: Checksum },
): void {
  const refuse = (code: 'internal' | 'checksum-mismatch', problem: string) =>
    new StorageError(code, `upload: ${problem}; nothing was published, so try again`, {
      operation: 'upload',
      key,
      provider: set.provider.name,
    })
  if (info.size !== size) throw refuse('internal', `the store has ${info.size} bytes of ${size}`)
  const kept = info.checksum
  if (kept?.algorithm !== checksum.algorithm || kept.compositeParts !== undefined) return
  if (kept.value !== checksum.value)
    throw refuse('checksum-mismatch', 'the store has other bytes than were sent')
}

interface CountedBody {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
  result(): { size: number; value: string }
}

function countedBody(
  body: WriteRequest['body'],
  algorithm: ComputedAlgorithm,
  hashedAlready: boolean,
): CountedBody {
  const { bytes } = body
  if (bytes !== undefined)
    return {
      body: bytes,
      result: () => ({ size: bytes.length, value: body.digest ?? digest(algorithm, bytes) }),
    }
  const hash = hashedAlready ? undefined : hasher(algorithm)
  let size = 0
  async function* counted() {
    for await (const chunk of body.chunks()) {
      size += chunk.length
      hash?.update(chunk)
      yield chunk
    }
  }
  return { body: counted(), result: () => ({ size, value: hash?.digest() ?? body.digest! }) }
}

/** What the store keeps beside the bytes: it serves them, by URLs that know nothing of the record. */
export function storeAttributes(
  set: RecordSet,
  key: string,
  attributes: Attributes,
): Pick<UploadOptions, keyof Attributes> {
  const { metadata, ...headers } = attributes
  const { capabilities } = set.provider
  return {
    ...headers,
    ...(capabilities.metadata && metadata !== undefined ? { metadata: { ...metadata } } : {}),
    // Whoever saves what a signed URL gives gets the name that the file has here, not the physical one.
    ...(capabilities.contentDisposition && headers.contentDisposition === undefined
      ? { contentDisposition: inline(fileNameOf(key)) }
      : {}),
  }
}
