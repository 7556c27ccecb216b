import type { Driver, UnfinishedParts } from './driver.ts'
import { invalidArgument, StorageError, unsupported } from './errors.ts'
import type { UnfinishedUploadsOptions } from './options.ts'
import type { UnfinishedUpload } from './results.ts'

const MAX_KEY_BYTES = 1024
/** Stores make them as long as they like: R2's have hundreds of characters. */
const MAX_ID_BYTES = 8192

/** Unfinished uploads that have not been asked for yet: each iteration starts afresh. */
export interface UnfinishedUploads extends AsyncIterable<UnfinishedUpload> {
  /** The iteration's entries as they arrive: an array for each time the store is asked, of no fixed length. */
  pages(): AsyncIterable<readonly UnfinishedUpload[]>
}

/** Unfinished uploads made of their pages: for those who wrap them. */
export function unfinishedUploadsOf(
  pages: () => AsyncIterable<readonly UnfinishedUpload[]>,
): UnfinishedUploads {
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const uploads of pages()) yield* uploads
    },
  }
}

/** Reads the options, then asks `driver` for a page whenever one is wanted. @throws `invalid-argument`; `unsupported` */
export function unfinishedUploads(
  driver: Driver,
  { prefix = '', startAfter }: UnfinishedUploadsOptions,
  run: <T>(work: (signal: AbortSignal | undefined) => Promise<T>) => Promise<T>,
): UnfinishedUploads {
  const parts = partsOf(driver, 'unfinishedUploads')
  const refuse = (problem: string) => invalidArgument('unfinishedUploads', driver.name, problem)
  for (const [name, value] of Object.entries({ prefix, startAfter }))
    if (value !== undefined && !isText(value, 0, MAX_KEY_BYTES))
      throw refuse(`${name} must be well-formed text of at most 1,024 bytes`)

  return unfinishedUploadsOf(async function* () {
    let after = startAfter
    for (;;) {
      const { uploads, next } = await run(signal => parts.page({ prefix, startAfter: after, signal }))
      if (uploads.length > 0) yield uploads
      if (next === undefined) return
      if (next === after) throw stuck(driver.name)
      after = next
    }
  })
}

/** @throws `invalid-argument` for what can't be an id; `unsupported` */
export async function abortUpload(
  driver: Driver,
  key: string,
  uploadId: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const parts = partsOf(driver, 'abortUpload')
  if (!isText(uploadId, 1, MAX_ID_BYTES))
    throw invalidArgument('abortUpload', driver.name, 'uploadId must be one that unfinishedUploads gave')
  await parts.abort({ key, uploadId, signal })
}

function partsOf({ name, capabilities, unfinished }: Driver, operation: string): UnfinishedParts {
  if (capabilities.unfinishedUploads && unfinished !== undefined) return unfinished
  throw unsupported(operation, name, 'this store has no uploads in parts that it can list; nothing was done')
}

function isText(value: unknown, least: number, most: number): value is string {
  if (typeof value !== 'string' || !value.isWellFormed()) return false
  return value.length >= least && Buffer.byteLength(value) <= most
}

function stuck(provider: string): StorageError {
  return new StorageError('internal', 'unfinishedUploads: the store sends the same page again and again', {
    operation: 'unfinishedUploads',
    provider,
  })
}
