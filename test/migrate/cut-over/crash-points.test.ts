import { describe, expect, it } from 'vitest'
import type { CutOverPhase } from '../../../src/migrate/cut-over/phase.ts'
import { runTwinCrashPoints, type TwinScenario } from './support/twin-crash-points.ts'

/** A type that is given needs no look at the bytes, and no library for it. */
const text = { contentType: 'text/plain' }

async function* stream(content: string) {
  yield Buffer.from(content)
}

const old = ({ files }: Parameters<TwinScenario['act']>[0]) => files.upload('a.txt', 'old', text)
const BOTH: readonly CutOverPhase[] = ['dual-write', 'destination-first']

const SCENARIOS: readonly TwinScenario[] = [
  ...BOTH.flatMap((phase): TwinScenario[] => [
    {
      name: 'upload',
      phase,
      act: ({ files }) => files.upload('a.txt', 'new', text),
      after: { 'a.txt': 'new' },
      calls: 12,
    },
    {
      name: 'replace by a stream',
      phase,
      arrange: old,
      act: ({ files }) => files.upload('a.txt', stream('new'), text),
      after: { 'a.txt': 'new' },
      calls: 16,
    },
    { name: 'delete', phase, arrange: old, act: ({ files }) => files.delete('a.txt'), after: {}, calls: 10 },
    {
      name: 'copy',
      phase,
      arrange: old,
      act: ({ files }) => files.copy('a.txt', 'b.txt'),
      after: { 'a.txt': 'old', 'b.txt': 'old' },
      calls: 12,
    },
  ]),
  {
    name: 'delete',
    phase: 'compare-reads',
    arrange: old,
    act: ({ files }) => files.delete('a.txt'),
    after: {},
    calls: 10,
  },
  {
    name: 'upload',
    phase: 'source-only',
    act: ({ files }) => files.upload('a.txt', 'new', text),
    after: { 'a.txt': 'new' },
    sides: ['from'],
    calls: 8,
  },
  {
    name: 'delete of what the destination has',
    begins: 'dual-write',
    phase: 'source-only',
    arrange: old,
    act: ({ files }) => files.delete('a.txt'),
    after: {},
    sides: ['from'],
    calls: 8,
  },
  {
    name: 'upload',
    phase: 'retired',
    act: ({ files }) => files.upload('a.txt', 'new', text),
    after: { 'a.txt': 'new' },
    sides: ['to'],
    calls: 10,
  },
  {
    name: 'delete of what the source has',
    begins: 'destination-first',
    phase: 'retired',
    arrange: old,
    act: ({ files }) => files.delete('a.txt'),
    after: {},
    calls: 9,
  },
]

const planted = { 'a.txt': 'before', 'b.txt': 'beside' }
const MEETING: readonly TwinScenario[] = [
  {
    name: 'delete of what has no record',
    phase: 'dual-write',
    planted,
    act: async ({ files }) => {
      for (const result of await files.deleteMany(['a.txt', 'b.txt']))
        if (result.status === 'error') throw result.error
    },
    after: {},
    calls: 14,
  },
  {
    name: 'upload over what has no record',
    phase: 'dual-write',
    planted: { 'a.txt': 'before' },
    act: ({ files }) => files.upload('a.txt', 'new', text),
    after: { 'a.txt': 'new' },
    calls: 18,
  },
  {
    name: 'move of what has no record',
    phase: 'backfill',
    planted: { 'a.txt': 'before' },
    act: ({ files }) => files.move('a.txt', 'b.txt'),
    after: { 'b.txt': 'before' },
    calls: 18,
  },
  {
    name: 'backfill of what has no record',
    phase: 'backfill',
    planted,
    arrange: ({ files }) => files.exists('nothing.txt'),
    act: async ({ store }) => {
      const { failed } = await store.backfill()
      if (failed > 0) throw Object.assign(new Error('not all was copied'), { code: 'pending' })
    },
    after: planted,
    calls: 14,
  },
]

describe('a failure at every call', () => {
  for (const scenario of [...SCENARIOS, ...MEETING])
    it(`leaves both sides and the rows in agreement: ${scenario.name} in ${scenario.phase}`, async () => {
      const { calls, failures } = await runTwinCrashPoints(scenario)
      expect(failures.join('\n')).toBe('')
      expect(calls).toBeGreaterThanOrEqual(scenario.calls)
    }, 120_000)
})
