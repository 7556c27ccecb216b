/** One part of the bench: what was measured, how, and what it had to reach. */
import { type Spread, spread } from '../spread.ts'
import { type Contested, type Entrant, type Rounds, spreads, takeTurns } from '../turns.ts'
import type { TimedResult } from './worker.ts'

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
  counts?: Record<string, number | string>
  bars: Bar[]
}

/** What is held against what; with `need`, a bar of the project's that it has to reach. */
export interface Bar {
  what: string
  got: Spread
  need?: { atLeast: number } | { atMost: number }
}

/** A contender of records/contenders, with its options. */
export function entrant(name: string, module: string, options: object): Entrant {
  return { name, worker: new URL('./worker.ts', import.meta.url), args: [module, JSON.stringify(options)] }
}

/** Rounds of all, and a function that holds two of them against each other. */
export async function race(entrants: readonly Entrant[], { rounds, seconds }: Scale) {
  const results = await takeTurns<TimedResult>(entrants, { seconds }, rounds)
  return {
    rates: spreads(results),
    /** Rate by rate of the same round, so that a slow moment of the machine is in both. */
    ratio(what: string, ours: string, other: string, need?: Bar['need']): Bar[] {
      const [one, two] = [ratesOf(results, ours), ratesOf(results, other)]
      if (one === undefined || two === undefined) return []
      return [{ what, got: spread(one.map((rate, round) => rate / two[round]!)), need }]
    },
  }
}

function ratesOf(results: Rounds<TimedResult>, name: string): number[] | undefined {
  const rounds = results.get(name)
  return Array.isArray(rounds) ? rounds.map(({ perSecond }) => perSecond) : undefined
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
  const digits = Number.isInteger(median) ? 0 : median < 10 ? 2 : median < 100 ? 1 : 0
  if (low === high) return median.toFixed(digits)
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

export function print({ title, how, rates = [], counts, bars }: Section): void {
  console.log(`\n${title}\n${how}`)
  const rows = rates.map(result => [
    result.contender,
    result.failure === undefined
      ? { 'a second': show(result.perSecond!), 'CPU µs/op': show(result.cpuMicros!) }
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
