import type { Manifest, VerifyStatus } from '../manifest.ts'
import { jsonLine } from './json-line.ts'
import { type ReportEntry, reportEntries } from './report-entry.ts'

/** As `rclone check --combined` has them; what it has no sign for counts as an error. */
const SYMBOLS: Record<VerifyStatus, string> = {
  match: '=',
  differ: '*',
  'missing-source': '-',
  'missing-destination': '+',
  error: '!',
  unverified: '!',
}

/**
 * The report in the form of `rclone check --combined`, a line an object: `=` the same, `*` different, `-` missing at the
 * source, `+` missing at the destination, `!` not known. Behind the sign the key at the source, for `-` at the
 * destination. A key with a control character is written as a JSON string, so that each stays on its line.
 *
 * @example
 * ```ts
 * const manifest = await openManifest(sqlite({ path: './migration.db' }), 'default')
 * for await (const line of reportCombined(manifest)) process.stdout.write(line)
 * ```
 */
export async function* reportCombined(manifest: Manifest): AsyncGenerator<string> {
  for await (const entry of reportEntries(manifest))
    yield `${SYMBOLS[entry.status]} ${onOneLine(keyOf(entry))}\n`
}

function keyOf(entry: ReportEntry): string {
  if (entry.row === undefined) return entry.stray.key
  return entry.status === 'missing-source' ? entry.row.destinationKey : entry.row.sourceKey
}

function onOneLine(key: string): string {
  return /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(key) ? jsonLine(key) : key
}
