import { describe, expect, it } from 'vitest'
import { CUT_OVER_PHASES } from '../../../src/migrate/cut-over/phase.ts'
import { runTwinHistory, type TwinHistory } from './support/twin-history.ts'

const COUNT = Number(process.env.STOWAGE_TEST_TWIN_HISTORIES ?? 15)

const NEIGHBOURS = CUT_OVER_PHASES.slice(0, -1).map(
  (phase, number) => ({ phase, next: CUT_OVER_PHASES[number + 1]!, work: 'settle' }) as const,
)

function holds(title: string, history: Omit<TwinHistory, 'seed' | 'faults'>): void {
  for (const faults of [0, 10])
    it(`${title}, ${faults === 0 ? 'with calls that work' : 'with calls of which one in ten fails'}`, async () => {
      for (let seed = 0; seed < COUNT; seed++) {
        const problems = await runTwinHistory({ ...history, seed: `${seed}`, faults })
        expect(problems.join('\n'), `seed ${seed}`).toBe('')
      }
    }, 240_000)
}

describe('processes that write, delete and read at once', () => {
  for (const history of NEIGHBOURS)
    holds(`lose nothing and bring nothing back, one in ${history.phase} and one in ${history.next}`, history)
  const planted = { 'a.txt': 'before', 'b.txt': 'before', 'c.txt': 'before' }
  for (const history of NEIGHBOURS.slice(0, 3))
    holds(
      `lose nothing and bring nothing back that had no record, one in ${history.phase} and one in ${history.next}`,
      { ...history, planted },
    )
  holds('lose nothing and bring nothing back that had no record while a backfill copies', {
    phase: 'backfill',
    next: 'backfill',
    work: 'backfill',
    planted,
  })
  holds('lose nothing and bring nothing back while a backfill copies', {
    phase: 'backfill',
    next: 'backfill',
    work: 'backfill',
  })
  holds('lose nothing and bring nothing back while both sides are verified', {
    phase: 'destination-first',
    next: 'destination-first',
    work: 'verify',
  })
})
