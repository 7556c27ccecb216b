import { digest } from '../../core/checksum.ts'
import { type Arrival, arrival, ofSource, opened, outcomeOf, SourceGone } from './arrival.ts'
import { checksumText } from './checksum-text.ts'
import type { CopyContext, CopyOutcome, CopyTask } from './copy-context.ts'
import { copyLarge } from './copy-large.ts'
import { withPut } from './copy-progress.ts'
import { WHOLE_BYTES } from './copy-settings.ts'
import { copyStreamed } from './copy-streamed.ts'
import { placeObject } from './place-object.ts'
import { transformed } from './transformed.ts'

/** What the buffers of a streamed upload may take. */
const STREAM_BYTES = 20 * 1024 * 1024
/** What an object costs beside its bytes. */
const OBJECT_BYTES = 4096

/** Bytes of memory that a copy of an object of this size may take. */
export function bytesHeld(size: number, { settings: { transform } }: CopyContext): number {
  if (transform !== undefined) return Math.min(size + WHOLE_BYTES, STREAM_BYTES)
  return (size <= WHOLE_BYTES ? size : STREAM_BYTES) + OBJECT_BYTES
}

/** Whether an object of this size goes in parts, which take slots and memory themselves, each for itself. */
export function goesInParts(size: number, { settings }: CopyContext): boolean {
  const { from, to, limits, transform } = settings
  return (
    size >= limits.largeObjectBytes &&
    transform === undefined &&
    to.capabilities.resumableUpload &&
    from.capabilities.conditionalRead === true
  )
}

/**
 * One try at one object, over the path that its size and the two stores ask for. What is copied is what the source has
 * now, whatever was planned.
 *
 * @throws what either store throws; but where the source has no such object the outcome is `gone`
 */
export async function copyObject(context: CopyContext, task: CopyTask): Promise<CopyOutcome> {
  try {
    if (!goesInParts(task.row.size, context)) return await copyAtOnce(context, task)
    const { settings, signal, pace } = context
    await pace.request(signal)
    const info = await ofSource(() => settings.from.info(task.row.sourceKey, { signal }))
    // It has changed, or its parts can't be held together: without an etag two versions could be mixed.
    if (info.etag === undefined || !goesInParts(info.size, context)) return await copyAtOnce(context, task)
    return await copyLarge(context, task, arrival(context, task, info))
  } catch (error) {
    if (error instanceof SourceGone) return { kind: 'gone' }
    throw error
  }
}

async function copyAtOnce(context: CopyContext, task: CopyTask): Promise<CopyOutcome> {
  const { settings, signal, pace } = context
  const download = await opened(context, task)
  try {
    const arrived = arrival(context, task, download.info)
    const { size } = download.info
    if (settings.transform !== undefined) {
      const output = await transformed(context, settings.transform, download)
      if (output.whole === undefined) return await copyStreamed(context, task, arrived, output)
      return await copyWhole(context, task, arrived, output.whole, output.sourceChecksum())
    }
    if (size > WHOLE_BYTES) return await copyStreamed(context, task, arrived, { body: download, size })
    await pace.bytes(size, signal)
    return await copyWhole(context, task, arrived, await download.bytes())
  } finally {
    download.cancel()
  }
}

async function copyWhole(
  context: CopyContext,
  task: CopyTask,
  arrived: Arrival,
  bytes: Uint8Array,
  sourceChecksum?: string,
): Promise<CopyOutcome> {
  const { settings, signal, pace } = context
  const { to } = settings
  const { attributes } = arrived
  const checksum = checksumText({ kind: 'whole', sha256: digest('sha256', bytes) })
  const before = task.work
  await context.keep(task, withPut(before, checksum))
  // Where the store keeps it, verification need not read the bytes.
  const kept = to.capabilities.checksums.includes('sha256') ? { checksum: 'sha256' as const } : {}
  const placed = await placeObject(context, {
    row: task.row,
    attributes,
    work: before,
    size: bytes.length,
    async put(conditions) {
      await pace.request(signal)
      return to.upload(task.row.destinationKey, bytes, { ...attributes, ...conditions, ...kept, signal })
    },
    content: async () => checksum,
  })
  return outcomeOf(task, arrived, placed, {
    sourceChecksum: sourceChecksum ?? checksum,
    destinationChecksum: checksum,
  })
}
