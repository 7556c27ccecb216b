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

describe('a failure at every call', () => {
  for (const scenario of SCENARIOS)
    it(`leaves both sides and the rows in agreement: ${scenario.name} in ${scenario.phase}`, async () => {
      const { calls, failures } = await runTwinCrashPoints(scenario)
      expect(failures.join('\n')).toBe('')
      expect(calls).toBeGreaterThanOrEqual(scenario.calls)
    }, 120_000)
})
