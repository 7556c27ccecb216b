import { compared, type Scale, type Section } from '../section.ts'
import { empty, fill, newPlace } from './bucket-pair.ts'
import { bestFlags, type Course, copyByRclone, copyByStowage, DEFAULTS, OURS, VERIFIED } from './copies.ts'
import { proxyCeiling } from './proxy-ceiling.ts'
import { smallGrid } from './rclone.ts'
import { takeRounds } from './take-rounds.ts'
import type { TwoStores } from './two-stores.ts'

const BYTES = 10 * 1024
const DELAY_MS = 30
const HOW =
  'Whole programs from start to end. Ours plans and copies, with a manifest on SQLite; a second row plans again and verifies, too. ' +
  'rclone copy as it comes, and with the flags that were the fastest of a grid. Objects a second.'

/** Few objects behind a delay, few without, and more without, where the start of a program counts for less. */
export async function benchSmallObjects(
  stores: TwoStores,
  rclone: string,
  folder: string,
  scale: Scale,
): Promise<Section[]> {
  const direct = { from: stores.from.endpoint, to: stores.to.endpoint }
  const few = await filled(stores, rclone, folder, scale.quick ? 200 : 2000)
  const delayed = await stores.behind(DELAY_MS, async (from, to) => {
    const endpoints = { from: from.endpoint, to: to.endpoint }
    const section = await raceSmall({ ...few, endpoints }, scale, `${DELAY_MS} ms a request`, {
      defaults: 10,
      tuned: 0.9,
    })
    return { ...section, counts: await proxyCeiling(stores.from, scale) }
  })
  const flags = await bestFlags({ ...few, endpoints: direct }, smallGrid(scale.quick))
  const undelayed = await raceSmall(
    { ...few, endpoints: direct },
    scale,
    'no delay',
    { tuned: 1, cpu: 1 },
    flags,
  )
  await empty(few.source)
  const many = await filled(stores, rclone, folder, scale.quick ? 400 : 10_000)
  const more = await raceSmall({ ...many, endpoints: direct }, scale, 'no delay', { tuned: 1, cpu: 1 }, flags)
  await empty(many.source)
  return [delayed, undelayed, more]
}

async function filled(stores: TwoStores, rclone: string, folder: string, objects: number) {
  const source = await newPlace(stores.from)
  await fill(source, objects, BYTES)
  return { stores, rclone, folder, source, objects, bytes: BYTES }
}

async function raceSmall(
  course: Course,
  scale: Scale,
  latency: string,
  least: { defaults?: number; tuned: number; cpu?: number },
  known?: readonly string[],
): Promise<Section> {
  const { objects } = course
  const flags = known ?? (await bestFlags(course, smallGrid(scale.quick)))
  const tuned = `rclone, tuned: ${flags.join(' ')}`
  const { rates, ratio, cpuRatio } = compared(
    await takeRounds(
      [
        { name: OURS, run: () => copyByStowage(course, 'copy') },
        { name: VERIFIED, run: () => copyByStowage(course, 'whole') },
        // Without a delay the defaults only last long.
        ...(least.defaults === undefined ? [] : [{ name: DEFAULTS, run: () => copyByRclone(course, []) }]),
        { name: tuned, run: () => copyByRclone(course, flags) },
      ],
      objects,
      scale.rounds,
    ),
  )
  const what = `${objects} objects, ${latency}`
  const needed = (atLeast: number | undefined) => (atLeast === undefined ? undefined : { atLeast })
  return {
    title: `${objects} objects of ${BYTES / 1024} KiB between two MinIOs, ${latency}`,
    how: HOW,
    rates,
    bars: [
      ...(least.defaults === undefined
        ? []
        : ratio(`${what}: rate, ours ÷ rclone's defaults`, OURS, DEFAULTS, needed(least.defaults))),
      ...ratio(`${what}: rate, ours ÷ rclone tuned`, OURS, tuned, needed(least.tuned)),
      ...ratio(`${what}: rate, ours and verified ÷ rclone tuned`, VERIFIED, tuned),
      ...cpuRatio(
        `${what}: CPU of an object, ours ÷ rclone tuned`,
        OURS,
        tuned,
        least.cpu === undefined ? undefined : { atMost: least.cpu },
      ),
    ],
  }
}
