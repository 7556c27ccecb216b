import { afterAll, describe, expect, it } from 'vitest'
import { historyOf } from './history.ts'
import { HistoryTrial } from './try-history.ts'

/** Files that share the histories, so that they run side by side. */
const PARTS = 2
/** Histories in one test: small enough to see where the time goes. */
const CHUNK = 500

const all = Number(process.env.STOWAGE_TEST_HISTORIES ?? 10_000)

/** One part of the random histories. */
export function describeHistories(part: number): void {
  const count = Math.ceil(all / PARTS)
  const trial = new HistoryTrial()
  const began = performance.now()
  describe(`random histories of concurrent clients, part ${part} of ${PARTS}`, () => {
    for (let from = 0; from < count; from += CHUNK) {
      const to = Math.min(count, from + CHUNK)
      it(`agree with a map of keys to files: ${part}.${from} to ${part}.${to - 1}`, async () => {
        for (let number = from; number < to; number++) {
          const history = historyOf(`${part}.${number}`)
          const { problems } = await trial.run(history)
          if (problems.length > 0) expect.unreachable(await trial.report(history))
        }
      }, 600_000)
    }
    afterAll(async () => {
      await trial.close()
      const seconds = (performance.now() - began) / 1000
      console.log(
        `histories (part ${part}): ${count} in ${seconds.toFixed(0)} s, ${(count / seconds).toFixed(0)}/s`,
      )
    })
  })
}
