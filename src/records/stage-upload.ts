import { type ChecksumAlgorithm, checksumRequest, hasher } from '../core/checksum.ts'
import { eitherSignal } from '../core/deadline.ts'
import type { SignUploadRequest } from '../core/driver.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import type { ObjectAttributes, OperationOptions } from '../core/options.ts'
import type { ObjectInfo, SignedUpload } from '../core/provider.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import { givenAttributes, type InspectOptions, inspectSent } from './inspect-sent.ts'
import { insertJob, type Job } from './journal-row.ts'
import { ATTRIBUTE_KINDS, assertKnownOptions, JOIN_KINDS } from './known-options.ts'
import { meetFiles } from './meet-files.ts'
import { type JoinOptions, ownOptionsOf } from './own-options.ts'
import { reservedKey } from './physical-key.ts'
import { attributesOf, type Publication, type PublicationPart } from './publish.ts'
import { infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { storeAttributes } from './upload-file.ts'
import { prepareFile, publishPrepared, type Stored } from './write-file.ts'

/** A request that began before its URL expired may end after it. */
const SLACK_MS = 15 * 60_000

/**
 * A signed upload goes to a staging key. It becomes a file when the backend finalizes it, so that a page which can
 * send bytes can't publish them.
 */
export async function stageUpload(set: RecordSet, request: SignUploadRequest): Promise<SignedUpload> {
  const { key, expiresIn, contentType, size, maxSize, signal } = request
  const id = set.newId()
  const physical = reservedKey(await set.root(), 'staging', id)
  const now = await set.clock.now()
  const signed = await set.provider.signedUpload(physical, {
    signal,
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(size === undefined ? {} : { size }),
    ...(maxSize === undefined ? {} : { maxSize }),
  })
  const batch = `${id}:stage`
  const lifetime = expiresIn === undefined ? signed.expiresAt.getTime() - set.now() : expiresIn * 1000
  const staged = {
    id,
    operation: id,
    kind: 'staged',
    state: 'open',
    key,
    physical,
    dueAt: now + lifetime + SLACK_MS,
    createdAt: now,
    data: { staged: { contentType, size, maxSize } },
  } as const
  // The URL is given out after the batch: a key that nobody knows needs no sweeping.
  await set.batch([insertJob(set.table('journal'), staged, batch)], { id: batch, signal })
  return { ...signed, uploadId: id }
}

export interface FinalizeOptions extends OperationOptions, ObjectAttributes, JoinOptions, InspectOptions {
  /** Only where nothing is stored under the key: else `already-exists`. */
  ifNoneMatch?: '*'
  /** Only over the file with this etag: else `precondition-failed`. */
  ifMatch?: string
  /** What the browser says the bytes' checksum is: they are read once to verify it, and it is recorded. */
  checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | ChecksumAlgorithm
}

/**
 * Makes a file of what was sent to a signed upload: checks it, copies it to a key that was never handed out (the URL
 * can be used again until it expires), and publishes that. Finalizing twice gives the same file.
 */
export async function finalizeUpload(
  set: RecordSet,
  uploadId: string,
  options: FinalizeOptions = {},
): Promise<ObjectInfo> {
  assertFinalizeOptions(set, options)
  const { ifNoneMatch, ifMatch, also, transaction } = options
  const joins = ownOptionsOf(set, 'finalize', { also, transaction })
  const found = await prepareFinalized(set, uploadId, options)
  if ('known' in found) return found.known
  return publishFinalized(set, uploadId, { ...found, ifNoneMatch, ifMatch, ...joins })
}

/** All of `finalize` but its publication; or the file that an earlier call has made. */
export async function prepareFinalized(
  set: RecordSet,
  uploadId: string,
  options: FinalizeOptions,
): Promise<{ known: ObjectInfo } | Pick<Publication, 'prepared' | 'part'>> {
  const job = await stagedJob(set, uploadId)
  const known = await finalizedAs(set, job)
  if (known !== undefined) return { known }
  const sent = await sentInfo(set, job, options.signal)
  const inspected = await inspectSent(set, job, sent, options)
  if (inspected === undefined) throw sentAgain(set, job)
  await meetFiles(set, [job.key], { signal: options.signal })
  const put = (physical: string, lost: AbortSignal) =>
    copyStaged(set, job, { ...sent, ...inspected }, options, physical, lost)
  const prepared = await prepareFile(set, job.key, 'finalize', put)
  return { prepared, part: closeStaging(set, job) }
}

export async function publishFinalized(
  set: RecordSet,
  uploadId: string,
  publication: Omit<Publication, 'operation' | 'key'>,
): Promise<ObjectInfo> {
  const { key } = publication.prepared
  try {
    return infoOf(await publishPrepared(set, { ...publication, operation: 'finalize', key }))
  } catch (error) {
    // What the caller's transaction has done so far is not for others to see.
    if (publication.transaction !== undefined) throw error
    // Two calls at once for one upload: one of them has made the file that both were asked for.
    if (!isStorageError(error, 'conflict', 'already-exists', 'precondition-failed')) throw error
    const other = await stagedJob(set, uploadId).then(now => finalizedAs(set, now))
    if (other === undefined) throw error
    return other
  }
}

export function assertFinalizeOptions(set: RecordSet, options: FinalizeOptions): void {
  assertKnownOptions('finalize', options, {
    ...ATTRIBUTE_KINDS,
    ...JOIN_KINDS,
    ifNoneMatch: 'string',
    ifMatch: 'string',
    checksum: 'string or object',
    inspect: 'function',
  })
  if (options.ifNoneMatch !== undefined && options.ifNoneMatch !== '*')
    throw set.refuse('finalize', "ifNoneMatch can only be '*'")
  if (options.ifMatch !== undefined && options.ifNoneMatch !== undefined)
    throw set.refuse('finalize', 'give ifMatch or ifNoneMatch, not both')
}

async function stagedJob(set: RecordSet, uploadId: unknown): Promise<Job> {
  if (typeof uploadId !== 'string' || uploadId === '')
    throw set.refuse('finalize', 'uploadId must be the one that signedUpload returned')
  const [job] = await set.jobs(["id = ? AND kind = 'staged'", uploadId], { consistency: 'linearizable' })
  if (job !== undefined && job.state !== 'doomed') return job
  throw failed(set, 'not-found', uploadId, 'there is no such upload, or it has expired and been swept')
}

/** The file that an earlier call has made of the upload, where it is still current. */
async function finalizedAs(set: RecordSet, job: Job): Promise<ObjectInfo | undefined> {
  const generation = job.data.finalized
  if (generation === undefined) return undefined
  const record = await set.record(job.key, { consistency: 'linearizable' })
  if (record?.generation === generation) return infoOf(record)
  throw failed(set, 'conflict', job.key, 'the upload was finalized before, and its file has changed since')
}

async function sentInfo(set: RecordSet, job: Job, signal: AbortSignal | undefined): Promise<ObjectInfo> {
  const info = await set.provider.info(job.physical, { signal }).catch(error => {
    if (!isStorageError(error, 'not-found') || error.resource !== undefined) throw error
    throw failed(set, 'not-found', job.key, 'nothing has been uploaded yet')
  })
  const { size, maxSize, contentType } = job.data.staged ?? {}
  if (size !== undefined && info.size !== size)
    throw failed(set, 'invalid-argument', job.key, `${info.size} bytes were sent, ${size} were signed for`)
  if (maxSize !== undefined && info.size > maxSize)
    throw failed(
      set,
      'too-large',
      job.key,
      `${info.size} bytes were sent, at most ${maxSize} were signed for`,
    )
  if (contentType !== undefined && info.contentType !== contentType)
    throw failed(
      set,
      'invalid-argument',
      job.key,
      `type ${info.contentType} was sent, ${contentType} was signed for`,
    )
  return info
}

async function copyStaged(
  set: RecordSet,
  job: Job,
  sent: ObjectInfo,
  options: FinalizeOptions,
  physical: string,
  lost: AbortSignal,
): Promise<Stored> {
  const given = givenAttributes(set, options)
  const attributes = {
    ...attributesOf(sent),
    ...given,
    metadata: { ...sent.metadata, ...given.metadata },
  }
  const keepsCondition = set.provider.capabilities.conditionalCopySource === true
  const signal = eitherSignal(options.signal, lost)
  const info = await set.provider.copy(job.physical, physical, {
    ...storeAttributes(set, job.key, attributes),
    // What is sent after the check must not be what is published.
    ...(sent.etag !== undefined && keepsCondition ? { ifMatch: sent.etag } : {}),
    signal,
  })
  // Where the store keeps no condition, what lay there before and after the copy was the same.
  const after = keepsCondition ? sent : await set.provider.info(job.physical, { signal })
  // The same bytes again have the same etag: others may have been there in between, and copied.
  const untouched = after.etag === sent.etag && after.lastModified?.getTime() === sent.lastModified?.getTime()
  if (info.size !== sent.size || !untouched) throw sentAgain(set, job)
  const checksum = await verifiedChecksum(set, job.key, physical, options, info)
  return { size: info.size, attributes, checksum, info }
}

/** Reads the copy, which nobody can change, where a checksum is asked for; else what the store knows is recorded. */
async function verifiedChecksum(
  set: RecordSet,
  key: string,
  physical: string,
  { checksum, signal }: FinalizeOptions,
  info: ObjectInfo,
): Promise<Stored['checksum']> {
  const request = checksumRequest(checksum, set.provider.name)
  if (request === undefined) return info.checksum?.compositeParts === undefined ? info.checksum : undefined
  const hash = hasher(request.algorithm)
  for await (const chunk of await set.provider.download(physical, { signal })) hash.update(chunk)
  const value = hash.digest()
  if (request.expected !== undefined && request.expected !== value)
    throw failed(set, 'checksum-mismatch', key, 'the bytes that were sent have another checksum')
  return { algorithm: request.algorithm, value }
}

/** The staging key is given up in the batch that publishes: nobody can finalize it again. It is swept in its time. */
function closeStaging(set: RecordSet, job: Job): PublicationPart {
  const journal = set.table('journal')
  return {
    condition: [
      `SELECT 1 FROM ${journal} WHERE id = ? AND kind = 'staged' AND state = 'open' AND fence = ?`,
      job.id,
      BigInt(job.fence),
    ],
    locks: [job.physical],
    statements({ batch, generation }): Statement[] {
      const data = { ...job.data, finalized: generation }
      return [
        [
          `UPDATE ${journal} SET state = 'finalized', data = ? WHERE id = ? AND ${HELD}`,
          JSON.stringify(data),
          job.id,
          batch,
        ],
      ]
    },
    async refused() {
      return failed(set, 'conflict', job.key, 'the upload was finalized or swept by another call')
    },
  }
}

function sentAgain(set: RecordSet, job: Job): StorageError {
  return failed(set, 'conflict', job.key, 'the upload was sent again while it was finalized; try again')
}

function failed(
  set: RecordSet,
  code: 'not-found' | 'conflict' | 'invalid-argument' | 'too-large' | 'checksum-mismatch',
  key: string,
  problem: string,
) {
  return new StorageError(code, `finalize: ${problem}`, {
    operation: 'finalize',
    key,
    provider: set.provider.name,
    retryable: false,
  })
}
