/**
 * Source keys that would meet at the destination. Rows are read in the order of their places there, so that those which meet
 * stand side by side, and none is held in memory.
 */
import type { ManifestRow } from '../manifest.ts'
import type { RefusalReason } from '../migration-plan.ts'
import type { PlanContext } from './plan-context.ts'

/** A row whose place may yet be met by one that follows. */
interface Open {
  readonly row: ManifestRow
  readonly place: string
  met: { readonly reason: RefusalReason; readonly other: ManifestRow } | undefined
}

/** Refuses all that meet, but what has been copied; and plans again what meets nobody any more. */
export async function findCollisions(context: PlanContext): Promise<void> {
  const { settings, manifest, writes } = context
  const { fileAndFolder, normalizationSensitive } = settings.to.capabilities.keys
  const by = settings.destinationIgnoresCase || !normalizationSensitive ? 'place' : 'destinationKey'
  const open: Open[] = []
  for await (const rows of manifest.rowPagesByDestination({
    by,
    states: ['planned', 'failed', 'copied', 'refused'],
  })) {
    for (const row of rows) {
      if (row.errorCode === 'invalid-key' || row.errorCode === 'too-large') continue
      const place = row[by]!
      // All that begin with a place follow it: who is no beginning of this one is met by nobody any more.
      while (open.length > 0 && !place.startsWith(open.at(-1)!.place)) await settle(open.pop()!)
      const last = open.at(-1)
      const entry: Open = { row, place, met: undefined }
      for (const other of open) {
        const isSame = other.place === place
        if (!isSame && (fileAndFolder || !place.startsWith(`${other.place}/`))) continue
        const reason =
          isSame && row.destinationKey !== other.row.destinationKey ? 'case-collision' : 'collision'
        entry.met = { reason, other: other.row }
        other.met ??= { reason, other: row }
      }
      // Of many in one place the first stands for all.
      if (last?.place === place) await settle(entry)
      else open.push(entry)
    }
  }
  while (open.length > 0) await settle(open.pop()!)
  await writes.flush()

  async function settle({ row, met }: Open): Promise<void> {
    const isRefused = row.errorCode === 'collision' || row.errorCode === 'case-collision'
    if (row.state === 'copied' || isRefused === (met !== undefined)) return
    const change =
      met === undefined
        ? ({ state: 'planned', errorCode: null, errorMessage: null } as const)
        : { state: 'refused' as const, errorCode: met.reason, errorMessage: messageOf(row, met.other) }
    const full = writes.add({ sourceKey: row.sourceKey, ifRevision: row.revision, ...change })
    if (full !== undefined) await full
  }
}

function messageOf(row: ManifestRow, other: ManifestRow): string {
  const [from, to] = [JSON.stringify(other.sourceKey), JSON.stringify(other.destinationKey)]
  return row.destinationKey === other.destinationKey
    ? `${from} goes to ${to}, too`
    : `${from} goes to ${to}, which the destination can't have beside ${JSON.stringify(row.destinationKey)}`
}
