import type { TimedResult } from '../timed-worker.ts'
import type { Rounds } from '../turns.ts'
import type { Measured } from './measured-command.ts'

export interface Contender {
  readonly name: string
  /** Prepares a round, measures it, and cleans up behind it. */
  run(): Promise<Measured>
}

export interface MigrationRound extends TimedResult {
  peakMiB: number
}

/** Whole programs, one after the other, another first in each round; `counts` is what each of them does. */
export async function takeRounds(
  contenders: readonly Contender[],
  counts: number,
  rounds: number,
): Promise<Rounds<MigrationRound>> {
  const results: Rounds<MigrationRound> = new Map(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const at of contenders.keys()) {
      const { name, run } = contenders[(at + round) % contenders.length]!
      const soFar = results.get(name)!
      if (!Array.isArray(soFar)) continue
      try {
        const { seconds, cpuSeconds, peakMiB = Number.NaN } = await run()
        soFar.push({ perSecond: counts / seconds, cpuMicros: (cpuSeconds * 1e6) / counts, peakMiB })
      } catch (error) {
        results.set(name, { failure: String(error) })
      }
    }
  }
  return results
}
