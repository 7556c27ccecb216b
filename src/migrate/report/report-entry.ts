import type { Manifest, ManifestRow, VerifyStatus } from '../manifest.ts'
import { type Stray, strayStatus, strays } from '../verify/strays.ts'

/** One object of a report: a row, or a stray, which has none. */
export type ReportEntry = (
  | { readonly row: ManifestRow }
  | { readonly row?: undefined; readonly stray: Stray }
) &
  Found

interface Found {
  readonly status: VerifyStatus
  /** Bytes. */
  readonly size: number
}

/** All but `gone`: they are no objects of the migration any more, and a copy that was left is a stray. */
const STATES = ['planned', 'copied', 'failed', 'refused'] as const

/** All objects: the manifest's in the order of their source keys, then the strays. Read page by page. */
export async function* reportEntries(manifest: Manifest): AsyncGenerator<ReportEntry> {
  for await (const row of manifest.rows({ states: [...STATES] }))
    yield { row, status: row.status, size: row.size }
  for await (const stray of strays(manifest)) yield { stray, status: strayStatus(stray), size: stray.size }
}
