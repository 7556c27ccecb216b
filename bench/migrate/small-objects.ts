import { compared, type Scale, type Section } from '../section.ts'
import { fill, newPlace } from './bucket-pair.ts'
import { bestFlags, type Course, copyByRclone, copyByStowage, DEFAULTS, OURS } from './copies.ts'
import { proxyCeiling } from './proxy-ceiling.ts'
import { smallGrid } from './rclone.ts'
import { takeRounds } from './take-rounds.ts'
import type { TwoStores } from './two-stores.ts'

const KIB = 10
const DELAY_MS = 30

export async function benchSmallObjects(
  stores: TwoStores,
  rclone: string,
  folder: string,
  scale: Scale,
): Promise<Section[]> {
  const objects = scale.quick ? 200 : 2000
  const source = await newPlace(stores.from)
  await fill(source, objects, KIB * 1024)
  const course = { stores, rclone, folder, source, objects, bytes: KIB * 1024 }
  const delayed = await stores.behind(DELAY_MS, async (from, to) => {
    const endpoints = { from: from.endpoint, to: to.endpoint }
    const section = await raceSmall({ ...course, endpoints }, scale, `${DELAY_MS} ms added to each request`)
    return { ...section, counts: await proxyCeiling(stores.from, scale) }
  })
  const endpoints = { from: stores.from.endpoint, to: stores.to.endpoint }
  return [delayed, await raceSmall({ ...course, endpoints }, scale, 'no time added')]
}

async function raceSmall(course: Course, scale: Scale, latency: string): Promise<Section> {
  const flags = await bestFlags(course, smallGrid(scale.quick))
  const tuned = `rclone, tuned: ${flags.join(' ')}`
  const isDelayed = latency !== 'no time added'
  const { rates, ratio, cpuRatio } = compared(
    await takeRounds(
      [
        { name: OURS, run: () => copyByStowage(course) },
        { name: DEFAULTS, run: () => copyByRclone(course, []) },
        { name: tuned, run: () => copyByRclone(course, flags) },
      ],
      course.objects,
      scale.rounds,
    ),
  )
  return {
    title: `${course.objects} objects of ${course.bytes / 1024} KiB between two MinIOs, ${latency}`,
    how:
      'Whole programs from start to end. Ours plans, copies with a manifest on SQLite, plans again and verifies by checksum; rclone copy ' +
      'as it comes, and with the flags that were the fastest of a grid. Objects a second.',
    rates,
    bars: [
      ...ratio(
        `${latency}: ours ÷ rclone's defaults`,
        OURS,
        DEFAULTS,
        isDelayed ? { atLeast: 10 } : undefined,
      ),
      ...ratio(`${latency}: ours ÷ rclone tuned`, OURS, tuned, { atLeast: isDelayed ? 0.9 : 1 }),
      ...cpuRatio(
        `${latency}: CPU of an object, ours ÷ rclone tuned`,
        OURS,
        tuned,
        isDelayed ? undefined : { atMost: 1 },
      ),
    ],
  }
}
