import { afterAll, describe, expect, it } from 'vitest'
import type { History } from './history.ts'
import { sha256 } from './history-log.ts'
import { HistoryTrial } from './try-history.ts'

/** Of each of the four kinds. */
const SCHEDULES = 250

describe('delete against upload of the same key', () => {
  const trial = new HistoryTrial()
  afterAll(() => trial.close())

  for (const faults of [0, 12])
    for (const replaceGraceMs of [0, 900_000])
      it(`ends with the new file or none, in ${SCHEDULES} schedules: ${faults === 0 ? 'nothing fails' : `one call of ${faults} fails`}, grace ${replaceGraceMs}`, async () => {
        const ends = { none: 0, uploaded: 0 }
        for (let number = 0; number < SCHEDULES; number++) {
          const seed = `delete against upload ${faults} ${replaceGraceMs} ${number}`
          const history: History = {
            seed,
            clients: [
              [
                { do: 'upload', key: 'r1.txt' },
                { do: 'delete', key: 'r1.txt' },
              ],
              [{ do: 'upload', key: 'r1.txt' }, { do: 'recoverAndWait' }],
            ],
            replaceGraceMs,
            restoreMs: 0,
            createOnly: true,
            faults,
            calm: [],
          }
          const { problems, log } = await trial.run(history)
          if (problems.length > 0) expect.unreachable(await trial.report(history))
          const file = log!.snapshots.at(-1)!.live.get('r1.txt')
          if (faults > 0) continue
          // The delete has come behind the first upload, so that file is never what is left.
          if (file !== undefined) expect(file.checksum).toBe(sha256(`1.0 of ${seed}`))
          ends[file === undefined ? 'none' : 'uploaded']++
        }
        if (faults > 0) return
        expect(ends.none).toBeGreaterThan(SCHEDULES / 20)
        expect(ends.uploaded).toBeGreaterThan(SCHEDULES / 20)
      }, 300_000)
})
