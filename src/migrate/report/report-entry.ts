import type { Manifest, ManifestRow, VerifyStatus } from '../manifest.ts'
import { strays } from '../verify/strays.ts'

/** One object of a report: a row, or an object that is on one side only and has none. */
export type ReportEntry =
  | ({ readonly row: ManifestRow } & Found)
  | ({ readonly row?: undefined; readonly sourceKey?: string; readonly destinationKey?: string } & Found)

interface Found {
  readonly status: VerifyStatus
  /** Bytes. */
  readonly size: number
}

/** All objects: the manifest's in the order of their source keys, then the strays. Read page by page. */
export async function* reportEntries(manifest: Manifest): AsyncGenerator<ReportEntry> {
  for await (const row of manifest.rows()) yield { row, status: row.status, size: row.size }
  for await (const { side, key, size } of strays(manifest))
    yield side === 'source'
      ? { sourceKey: key, status: 'missing-destination', size }
      : { destinationKey: key, status: 'missing-source', size }
}
