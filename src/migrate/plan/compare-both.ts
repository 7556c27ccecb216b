import { KeyStream, meetings } from '../../core/key-streams.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { ManifestRow } from '../manifest.ts'
import { destinationChange } from './compare-destination.ts'
import { type Change, sourceChanges } from './compare-source.ts'
import type { PlanContext } from './plan-context.ts'

/**
 * Both lists held against the rows in one pass, where keys stay as they are: then one order is that of all three. Only while nobody
 * copies: each row is read once, and must be as both lists have it.
 *
 * @throws what either list throws: then nothing behind those pages is touched
 */
export async function compareBoth(
  context: PlanContext,
  source: AsyncIterable<readonly ObjectInfo[]>,
  destination: AsyncIterable<readonly ObjectInfo[]>,
): Promise<void> {
  const { settings, manifest, writes, counts, onEvent } = context
  const changeOf = await sourceChanges(context)
  const streams = {
    here: new KeyStream(source, (object: ObjectInfo) => object.key),
    there: new KeyStream(destination, (object: ObjectInfo) => object.key),
    row: new KeyStream(manifest.rowPages(), (row: ManifestRow) => row.sourceKey),
  }
  for await (const [, { here, there, row }] of meetings(streams)) {
    const change = changeOf(row, here)
    if (change !== undefined) {
      if (change.isOther) await onEvent({ kind: 'changed', key: change.row.sourceKey })
      await writes.add(change.row)
    }
    const now = change === undefined ? row : changed(row, change.row)
    if (now === undefined || now.state === 'gone' || now.destinationKey === '') continue
    const found = destinationChange(now, there, settings.existing)
    if (found === undefined) continue
    if (now.state === 'copied') counts.since.lost++
    await writes.add(found)
  }
  await writes.flush()
}

/** The row as it is once the change has been written. */
function changed(row: ManifestRow | undefined, { ifRevision, ...change }: Change): ManifestRow {
  const added = { attempts: 0, status: 'unverified', revision: 0 }
  const now: Record<string, unknown> = { ...(row ?? added), ...change, revision: ifRevision + 1 }
  for (const name in now) if (now[name] === null) delete now[name]
  return now as unknown as ManifestRow
}
