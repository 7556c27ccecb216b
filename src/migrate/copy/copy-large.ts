import { type Arrival, opened, outcomeOf } from './arrival.ts'
import { checksumHasher, uploadChecksum } from './checksum-text.ts'
import type { CopyContext, CopyOutcome, CopyTask } from './copy-context.ts'
import { PartReader } from './part-reader.ts'
import { placeObject } from './place-object.ts'
import { UploadRecord } from './upload-record.ts'

/**
 * In parts, several at once, each read by its range from one version of the source. What has arrived is in the manifest,
 * so that the next process sends only the rest.
 */
export async function copyLarge(
  context: CopyContext,
  task: CopyTask,
  arrived: Arrival,
): Promise<CopyOutcome> {
  const { settings, signal } = context
  const { row } = task
  const { info, attributes } = arrived
  const { limits, to } = settings
  const before = task.work
  const record = new UploadRecord(context, task, arrived)
  const reader = new PartReader(context, task, info)
  let checksum: string | undefined
  let sent = 0
  try {
    const placed = await placeObject(context, {
      row,
      attributes,
      work: before,
      size: info.size,
      async put(conditions) {
        const uploaded = await to.uploadResumable(row.destinationKey, reader, {
          ...attributes,
          ...conditions,
          partBytes: limits.partBytes,
          concurrency: Math.max(1, Math.floor(limits.bytesInFlight / limits.partBytes)),
          ...(record.resume === undefined ? {} : { resume: record.resume }),
          onToken: token => record.begin(token),
          async onPart(part) {
            reader.sent(part)
            sent += part.end - part.start
            context.part(row.sourceKey, part.end - part.start)
            await record.add(part)
          },
          signal,
        })
        checksum = uploadChecksum(record.parts, info.size)
        return uploaded
      },
      async content() {
        checksum ??= uploadChecksum(record.parts, info.size) ?? (await readAgain(context, task, arrived))
        return checksum
      },
    })
    checksum ??= await readAgain(context, task, arrived)
    const sums = { sourceChecksum: checksum, destinationChecksum: checksum }
    return outcomeOf(task, arrived, placed, sums, Math.max(0, info.size - sent))
  } catch (error) {
    // To an upload every failure of its source is an end by the caller.
    throw reader.failure ?? error
  } finally {
    reader.end()
  }
}

async function readAgain(context: CopyContext, task: CopyTask, { info }: Arrival): Promise<string> {
  const hasher = checksumHasher()
  const download = await opened(context, task, { ifMatch: info.etag! })
  for await (const chunk of download) {
    await context.pace.bytes(chunk.length, context.signal)
    hasher.update(chunk)
  }
  return hasher.text()
}
