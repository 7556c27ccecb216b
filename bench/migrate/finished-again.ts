import { join } from 'node:path'
import { compared, counted, type Scale, type Section } from '../section.ts'
import { fill, newPlace } from './bucket-pair.ts'
import { migrateOnce, OURS } from './copies.ts'
import { measured } from './measured-command.ts'
import { rcloneArguments, rcloneEnvironment } from './rclone.ts'
import { takeRounds } from './take-rounds.ts'
import type { TwoStores } from './two-stores.ts'

const BYTES = 1024
/** Objects on a page of a list. */
const PAGE = 1000
const SYNC = 'rclone sync --checksum'

/** A migration that has nothing left to do. */
export async function benchFinishedAgain(
  stores: TwoStores,
  rclone: string,
  folder: string,
  scale: Scale,
): Promise<Section> {
  const objects = scale.quick ? 1500 : 10_000
  const source = await newPlace(stores.from)
  const destination = await newPlace(stores.to)
  // In one folder: then rclone, which lists each by itself, asks for as few pages as can be.
  await fill(source, objects, BYTES, objects)
  const database = join(folder, 'again.db')
  return stores.behind(0, async (from, to) => {
    const here = { ...source, endpoint: from.endpoint }
    const there = { ...destination, endpoint: to.endpoint }
    await migrateOnce(folder, here, there, 'whole', database)
    const sync = rcloneArguments('sync', here, there, ['--checksum'])
    const requests = async (run: () => Promise<unknown>) => {
      const before = await Promise.all([from.seen(), to.seen()])
      await run()
      const after = await Promise.all([from.seen(), to.seen()])
      return after.reduce((sum, { requests }, at) => sum + requests - before[at]!.requests, 0)
    }
    const ours = () => migrateOnce(folder, here, there, 'whole', database)
    const theirs = () => measured(rclone, sync, rcloneEnvironment(here, there))
    const counts = { [OURS]: await requests(ours), [SYNC]: await requests(theirs) }
    const rounds = await takeRounds(
      [
        { name: OURS, run: ours },
        { name: SYNC, run: theirs },
      ],
      objects,
      scale.rounds,
    )
    const { rates, timeRatio } = compared(rounds)
    const lists = 2 * Math.ceil(objects / PAGE)
    return {
      title: `A finished migration of ${objects} objects, run again`,
      how: 'Whole programs from start to end, through proxies that count and add no time. Objects a second.',
      rates,
      counts: { ...counts, 'pages of both lists': lists },
      bars: [
        counted(
          'requests of a finished migration, beyond the lists of both sides',
          counts[OURS]! - lists,
          10,
        ),
        ...timeRatio(`time of a finished migration, ours ÷ ${SYNC}`, OURS, SYNC, { atMost: 1 }),
      ],
    }
  })
}
