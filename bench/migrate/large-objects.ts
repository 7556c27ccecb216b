import { compared, type Scale, type Section } from '../section.ts'
import { spread } from '../spread.ts'
import { empty, fill, newPlace } from './bucket-pair.ts'
import { bestFlags, copyByRclone, copyByStowage, DEFAULTS, OURS } from './copies.ts'
import { largeGrid } from './rclone.ts'
import { takeRounds } from './take-rounds.ts'
import type { TwoStores } from './two-stores.ts'

const MOST_MIB = 256

export async function benchLargeObjects(
  stores: TwoStores,
  rclone: string,
  folder: string,
  scale: Scale,
): Promise<Section> {
  const objects = scale.quick ? 4 : 20
  const bytes = (scale.quick ? 40 : 64) * 2 ** 20
  const source = await newPlace(stores.from)
  await fill(source, objects, bytes)
  const endpoints = { from: stores.from.endpoint, to: stores.to.endpoint }
  const course = { stores, rclone, folder, source, objects, bytes, endpoints }
  const flags = await bestFlags(course, largeGrid(scale.quick))
  const tuned = `rclone, tuned: ${flags.join(' ')}`
  const results = await takeRounds(
    [
      { name: OURS, run: () => copyByStowage(course, 'copy') },
      { name: DEFAULTS, run: () => copyByRclone(course, []) },
      { name: tuned, run: () => copyByRclone(course, flags) },
    ],
    (objects * bytes) / 2 ** 20,
    Math.min(scale.rounds, 5),
  )
  await empty(source)
  const peaks = [...results].map(([name, rounds]) => {
    const peak = spread(Array.isArray(rounds) ? rounds.map(({ peakMiB }) => peakMiB) : [Number.NaN])
    return [name, peak] as const
  })
  const { rates, ratio } = compared(results)
  return {
    title: `${objects} objects of ${bytes / 2 ** 20} MiB between two MinIOs`,
    how: 'Whole programs from start to end, as with small objects, without verification on either side. MiB a second, CPU of one.',
    rates,
    counts: Object.fromEntries(
      peaks.map(([name, { median }]) => [`most memory in MiB: ${name}`, Math.round(median)]),
    ),
    bars: [
      ...ratio("large objects: ours ÷ rclone's defaults", OURS, DEFAULTS, { atLeast: 1 }),
      ...ratio('large objects: ours ÷ rclone tuned', OURS, tuned, { atLeast: 1 }),
      { what: 'large objects: most memory of ours in MiB', got: peaks[0]![1], need: { atMost: MOST_MIB } },
    ],
  }
}
