import { createHash } from 'node:crypto'
import { type Arrival, opened, outcomeOf } from './arrival.ts'
import { checksumHasher, checksumText } from './checksum-text.ts'
import type { CopyContext, CopyOutcome, CopyTask } from './copy-context.ts'
import { placeObject } from './place-object.ts'
import { transformed } from './transformed.ts'

/** Bytes that are told at once: an event a chunk would be too many. */
const TOLD_BYTES = 4 * 2 ** 20

export interface StreamedBody {
  readonly body: AsyncIterable<Uint8Array>
  /** Bytes, where they are known before the end. */
  readonly size?: number
  /** Of the source, where the body is not the source's own. */
  sourceChecksum?(): string | undefined
}

/** A body that is too large to be held, on its way through: hashed as it passes, and read again where it is needed again. */
export async function copyStreamed(
  context: CopyContext,
  task: CopyTask,
  arrived: Arrival,
  first: StreamedBody,
): Promise<CopyOutcome> {
  const { settings, signal, pace } = context
  const { attributes } = arrived
  const before = task.work
  let input: StreamedBody | undefined = first
  let source = first
  let sum: string | undefined
  // Of an output whose length nobody knows, nothing can be told before.
  if (first.size !== undefined)
    await context.keep(task, {
      ...before,
      streamed: { size: first.size, since: (await context.ready).since },
    })

  async function next(): Promise<StreamedBody> {
    source = input ?? (await again(context, task, arrived))
    input = undefined
    return source
  }
  const placed = await placeObject(context, {
    row: task.row,
    attributes,
    work: before,
    size: first.size,
    async put(conditions) {
      const { body, size } = await next()
      await pace.request(signal)
      const passing = watched(context, body, task.row.sourceKey)
      try {
        return await settings.to.upload(task.row.destinationKey, passing.body, {
          ...attributes,
          ...conditions,
          ...(size === undefined ? {} : { size }),
          signal,
        })
      } catch (error) {
        // To an upload every failure of its body is an end by the caller.
        throw passing.failure() ?? error
      } finally {
        sum = passing.sum()
      }
    },
    async content() {
      const { body } = await next()
      const hasher = checksumHasher()
      for await (const chunk of body) {
        if (settings.transform === undefined) await pace.bytes(chunk.length, signal)
        hasher.update(chunk)
      }
      sum = hasher.text()
      return sum
    },
  })
  const sourceChecksum = source.sourceChecksum === undefined ? sum : source.sourceChecksum()
  return outcomeOf(task, arrived, placed, {
    ...(sourceChecksum === undefined ? {} : { sourceChecksum }),
    ...(sum === undefined ? {} : { destinationChecksum: sum }),
  })
}

function watched(
  { pace, signal, settings, part }: CopyContext,
  body: AsyncIterable<Uint8Array>,
  key: string,
) {
  const hash = createHash('sha256')
  let failure: unknown
  let sum: string | undefined
  let untold = 0
  async function* chunks() {
    try {
      for await (const chunk of body) {
        // A transform's input has waited already.
        if (settings.transform === undefined) await pace.bytes(chunk.length, signal)
        hash.update(chunk)
        yield chunk
        untold += chunk.length
        if (untold < TOLD_BYTES) continue
        part(key, untold)
        untold = 0
      }
      sum = checksumText({ kind: 'whole', sha256: hash.digest('hex') })
    } catch (error) {
      failure = error
      throw error
    }
  }
  return { body: chunks(), failure: () => failure, sum: () => sum }
}

/** The same version of the source once more. */
async function again(context: CopyContext, task: CopyTask, { info }: Arrival): Promise<StreamedBody> {
  const { from, transform } = context.settings
  const pinned = from.capabilities.conditionalRead === true && info.etag !== undefined
  const download = await opened(context, task, pinned ? { ifMatch: info.etag! } : {})
  if (transform === undefined) return { body: download, size: info.size }
  return transformed(context, transform, download)
}
