import { KeyStream, meetings } from '../../core/key-streams.ts'
import type { Manifest } from '../manifest.ts'
import type { MigrationSettings } from '../plan/checked-settings.ts'
import { isObjectMissing } from './finding.ts'
import { type Stray, StrayLog, strayCounts, strays } from './strays.ts'

/** Asked for by a request each; what is beyond stays as it was found, until a verification of the whole lists both sides. */
const MOST_ASKED = 1000
const PAGE = 200

/**
 * Looks again, after a plan, at what a verification found on one side only. Of the source's the plan knows all by now. One at the
 * destination stays until it is gone, or an object of the source goes there.
 */
export async function recheckStrays(
  settings: MigrationSettings,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source, destination } = await strayCounts(manifest)
  if (source + destination === 0) return
  const kept = await StrayLog.begin(manifest)
  let asked = 0
  for await (const page of pagesOf(unplanned(manifest))) {
    const isAsked = asked < MOST_ASKED
    if (isAsked) asked += page.length
    const there = isAsked ? await stillThere(settings, page, signal) : page
    for (const stray of there) await kept.add(stray)
  }
  await kept.end()
}

async function* unplanned(manifest: Manifest): AsyncGenerator<Stray> {
  const streams = {
    stray: new KeyStream(pagesOf(atDestination(manifest)), ({ key }: Stray) => key),
    row: new KeyStream(
      manifest.rowPagesByDestination({ states: ['planned', 'failed', 'copied', 'refused'] }),
      row => row.destinationKey,
    ),
  }
  for await (const [, { stray, row }] of meetings(streams))
    if (stray !== undefined && row === undefined) yield stray
}

async function* atDestination(manifest: Manifest): AsyncGenerator<Stray> {
  for await (const stray of strays(manifest)) if (stray.side === 'destination') yield stray
}

async function stillThere(
  { to }: MigrationSettings,
  page: readonly Stray[],
  signal: AbortSignal | undefined,
): Promise<readonly Stray[]> {
  const keys = page.map(({ key }) => key)
  const infos = await to.infoMany(keys, signal === undefined ? {} : { signal })
  // One that can't be looked at stays.
  return page.filter((_, index) => {
    const info = infos[index]!
    return info.ok || !isObjectMissing(info.error)
  })
}

async function* pagesOf(found: AsyncIterable<Stray>): AsyncGenerator<readonly Stray[]> {
  let page: Stray[] = []
  for await (const stray of found) {
    page.push(stray)
    if (page.length < PAGE) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
