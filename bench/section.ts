/** One part of the bench: what was measured, how, and what it had to reach. */
import type { BarGroup } from './chart.ts'
import { type Figure, figureOf, formatted } from './figures.ts'
import { type Spread, spread } from './spread.ts'
import type { TimedResult } from './timed-worker.ts'
import { type Contested, type Entrant, type Rounds, spreads, takeTurns } from './turns.ts'

export interface Scale {
  rounds: number
  /** Of one round of one contender. */
  seconds: number
  /** Tries the bench itself: the figures mean nothing. */
  quick: boolean
}

export interface Section {
  title: string
  /** How the figures came about, in one or two sentences. */
  how: string
  rates?: Contested<TimedResult>[]
  /** The columns for `rates`; the first is the one that is drawn. Default: the rate and the CPU. */
  figures?: readonly Figure[]
  counts?: Record<string, number | string>
  bars: Bar[]
}

/** What is held against what; with `need`, a bar of the project's that it has to reach. */
export interface Bar {
  what: string
  got: Spread
  need?: Need
}

export type Need = { atLeast: number } | { atMost: number }

/** A contender of the module, which exports `create(options)`. */
export function timed(name: string, module: URL, options: object): Entrant {
  return {
    name,
    worker: new URL('./timed-worker.ts', import.meta.url),
    args: [module.href, JSON.stringify(options)],
  }
}

/** Rounds of all, and functions that hold two of them against each other. */
export async function race(entrants: readonly Entrant[], { rounds, seconds }: Scale) {
  return compared(await takeTurns<TimedResult>(entrants, { seconds }, rounds))
}

/** What the rounds gave, and functions that hold two of them against each other. */
export function compared<Result extends TimedResult>(results: Rounds<Result>) {
  const rates = spreads(results)
  /** Round by round, so that a slow moment of the machine is in both. */
  const compare =
    (figure: (result: Result) => number) =>
    (what: string, ours: string, other: string, need?: Need): Bar[] => {
      const [one, two] = [roundsOf(results, ours), roundsOf(results, other)]
      if (one === undefined || two === undefined) return []
      return [{ what, got: spread(one.map((result, round) => figure(result) / figure(two[round]!))), need }]
    }
  return {
    rates,
    /** Rate against rate. */
    ratio: compare(({ perSecond }) => perSecond),
    /** Time against time. */
    timeRatio: compare(({ perSecond }) => 1 / perSecond),
    /** CPU against CPU. */
    cpuRatio: compare(({ cpuMicros }) => cpuMicros),
    /** How many the one does with a second of CPU, against the other. */
    cpuRateRatio: compare(({ cpuMicros }) => 1 / cpuMicros),
    /** The CPU of one operation in milliseconds, itself held against a bar. */
    cpuMillis(what: string, name: string, need: Need): Bar[] {
      const rounds = roundsOf(results, name)
      if (rounds === undefined) return []
      return [{ what, got: spread(rounds.map(({ cpuMicros }) => cpuMicros / 1000)), need }]
    },
  }
}

function roundsOf<Result>(results: Rounds<Result>, name: string): Result[] | undefined {
  const rounds = results.get(name)
  return Array.isArray(rounds) ? rounds : undefined
}

export function counted(what: string, count: number, atMost: number): Bar {
  return { what, got: { median: count, low: count, high: count }, need: { atMost } }
}

export function isMet({ got, need }: Bar): boolean | undefined {
  if (need === undefined) return undefined
  return 'atLeast' in need ? got.median >= need.atLeast : got.median <= need.atMost
}

/** Median, and in brackets the lowest and highest round. */
export function show({ median, low, high }: Spread): string {
  const digits = Number.isInteger(median) ? 0 : median < 0.1 ? 4 : median < 10 ? 2 : median < 100 ? 1 : 0
  if (low === high) return median.toFixed(digits)
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

export function print({
  title,
  how,
  rates = [],
  figures = ['rate', 'cpuMicros'],
  counts,
  bars,
}: Section): void {
  console.log(`\n${title}\n${how}`)
  const rows = rates.map(result => [
    result.contender,
    result.failure === undefined
      ? Object.fromEntries(figures.map(figure => [formatted[figure].column, show(figureOf(figure, result))]))
      : { failed: result.failure },
  ])
  if (rows.length > 0) console.table(Object.fromEntries(rows))
  if (counts !== undefined) console.table(counts)
  printBars(bars)
}

export function printBars(bars: readonly Bar[]): void {
  if (bars.length === 0) return
  const needed = ({ need }: Bar) =>
    need === undefined ? '' : 'atLeast' in need ? `≥ ${need.atLeast}` : `≤ ${need.atMost}`
  const verdict = { true: 'yes', false: 'NO', undefined: '' }
  const rows = bars.map(bar => [
    bar.what,
    { got: show(bar.got), needed: needed(bar), met: verdict[`${isMet(bar)}`] },
  ])
  console.table(Object.fromEntries(rows))
}

/** What the chart shows of them; sections without rates are left out. */
export function barGroups(sections: readonly Section[]): BarGroup[] {
  return sections
    .map(({ title, rates = [], figures: [figure] = ['rate'] }) => ({
      title,
      note: formatted[figure!].note,
      bars: rates
        .filter(({ failure }) => failure === undefined)
        .map(result => {
          const value = figureOf(figure!, result)
          return {
            label: result.contender,
            value: value.median,
            text: `${show(value)} ${formatted[figure!].unit}`,
          }
        }),
    }))
    .filter(({ bars }) => bars.length > 0)
}
