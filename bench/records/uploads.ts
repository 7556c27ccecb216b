/** Uploads of small objects to S3 with records and without. For information: the bar is on the calls, see calls.ts. */
import type { Target } from '../contenders/contender.ts'
import { race, type Scale, type Section } from '../section.ts'
import { entrant } from './entrant.ts'
import type { SqliteLibrary } from './sqlite-library.ts'

const SIZE = 4 * 2 ** 10
const CONCURRENCIES = [1, 16]

export async function benchUploads(
  target: Target,
  library: SqliteLibrary,
  path: (name: string) => string,
  scale: Scale,
): Promise<Section> {
  const entrants = CONCURRENCIES.flatMap(atOnce => [
    entrant(`stowage without, ${atOnce} at once`, 'upload', {
      target,
      prefix: `plain-${atOnce}`,
      atOnce,
      size: SIZE,
    }),
    entrant(`stowage with records, ${atOnce} at once`, 'upload', {
      target,
      prefix: `recorded-${atOnce}`,
      atOnce,
      size: SIZE,
      records: { library, path: path(`uploads-${atOnce}`) },
    }),
  ])
  const { rates, ratio } = await race(entrants, scale)
  return {
    title: 'Uploads of 4 KiB to S3',
    how: `MinIO on loopback, a new key each time; records in SQLite by ${library}, each batch on disk before the next step.`,
    rates,
    bars: CONCURRENCIES.flatMap(atOnce =>
      ratio(
        `uploads with records ÷ without, ${atOnce} at once`,
        `stowage with records, ${atOnce} at once`,
        `stowage without, ${atOnce} at once`,
      ),
    ),
  }
}
