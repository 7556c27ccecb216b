/** The ways to state what a contender of the timed benches did. */
import type { Spread } from './spread.ts'
import type { TimedResult } from './timed-worker.ts'
import type { Contested } from './turns.ts'

export type Figure = 'rate' | 'cpuMicros' | 'millis' | 'cpuMillis' | 'cpuRate'

export const formatted: Record<Figure, { column: string; unit: string; note: string }> = {
  rate: { column: 'a second', unit: '/s', note: 'operations a second, more is better' },
  cpuMicros: { column: 'CPU µs/op', unit: 'µs', note: 'CPU of one, less is better' },
  millis: { column: 'ms', unit: 'ms', note: 'time of one, less is better' },
  cpuMillis: { column: 'CPU ms', unit: 'ms', note: 'CPU of one, less is better' },
  cpuRate: {
    column: 'thousands a CPU second',
    unit: 'k/s',
    note: 'thousands in a second of CPU, more is better',
  },
}

export function figureOf(figure: Figure, { perSecond, cpuMicros }: Contested<TimedResult>): Spread {
  if (figure === 'rate') return perSecond!
  if (figure === 'cpuMicros') return cpuMicros!
  if (figure === 'millis') return divided(1000, perSecond!)
  if (figure === 'cpuRate') return divided(1000, cpuMicros!)
  const { median, low, high } = cpuMicros!
  return { median: median / 1000, low: low / 1000, high: high / 1000 }
}

function divided(by: number, { median, low, high }: Spread): Spread {
  return { median: by / median, low: by / high, high: by / low }
}
