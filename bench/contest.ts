/** Rounds of one piece of work on an object store, by all the contenders. */
import type { Target } from './contenders/contender.ts'
import { type Contested, spreads, takeTurns } from './turns.ts'
import type { RoundRequest, RoundResult } from './worker.ts'

/** `failure` where the contender failed, else a figure each. */
export type ContestResult = Contested<RoundResult>

export async function contest(
  names: readonly string[],
  target: Target,
  request: RoundRequest,
  rounds: number,
): Promise<ContestResult[]> {
  const worker = new URL('./worker.ts', import.meta.url)
  const entrants = names.map(name => ({ name, worker, args: [name, JSON.stringify(target)] }))
  return spreads(await takeTurns<RoundResult>(entrants, request, rounds))
}
