import type { Manifest } from '../manifest.ts'
import { strayCounts } from '../verify/strays.ts'
import { isComplete, statusesOf } from '../verify/verification-summary.ts'
import { jsonLine } from './json-line.ts'
import { lostAttributes } from './lost-attributes.ts'
import { reportEntries } from './report-entry.ts'

/**
 * The report as JSON, a line an object: the manifest's row, with `error: { code, message }` where there is one. An object without
 * a row has `status`, `size` and the one key that it has. The last line is `{ summary: … }`: where it is missing, the
 * report was cut off.
 *
 * @example
 * ```ts
 * const manifest = await openManifest(sqlite({ path: './migration.db' }), 'default')
 * for await (const line of reportJsonl(manifest)) process.stdout.write(line)
 * ```
 */
export async function* reportJsonl(manifest: Manifest): AsyncGenerator<string> {
  for await (const entry of reportEntries(manifest)) {
    if (entry.row === undefined) {
      const { side, key, size } = entry.stray
      yield lineOf({ [side === 'source' ? 'sourceKey' : 'destinationKey']: key, status: entry.status, size })
      continue
    }
    // What a copy goes on with is as good as a signed URL.
    const {
      progress: _,
      revision: __,
      place: ___,
      errorCode: code,
      errorMessage: message,
      ...row
    } = entry.row
    yield lineOf({ ...row, ...(code === undefined ? {} : { error: { code, message } }) })
  }
  const counts = await manifest.counts()
  const strays = await strayCounts(manifest)
  yield lineOf({
    summary: {
      name: manifest.name,
      complete: isComplete(counts, strays),
      states: counts.byState,
      statuses: statusesOf(counts, strays),
      strays,
      lostAttributes: await lostAttributes(manifest),
    },
  })
}

function lineOf(value: object): string {
  return `${jsonLine(value)}\n`
}
