/** Rounds of one piece of work, the contenders taking turns, so that a noisy moment hits all of them. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Target } from './contenders/contender.ts'
import { type Spread, spread } from './spread.ts'
import type { RoundRequest, RoundResult } from './worker.ts'

const WARM_UP_ROUNDS = 2

export interface ContestResult {
  contender: string
  /** Absent where the contender failed, with the reason. */
  failure?: string
  perSecond?: Spread
  cpuMicros?: Spread
  mebibytesPerSecond?: Spread
  peakMebibytes?: Spread
}

export async function contest(
  names: readonly string[],
  target: Target,
  request: RoundRequest,
  rounds: number,
): Promise<ContestResult[]> {
  const workers = new Map<string, ChildProcess>()
  const results = new Map<string, RoundResult[]>()
  const failures = new Map<string, string>()
  try {
    for (const name of names) {
      const worker = fork(
        fileURLToPath(new URL('./worker.ts', import.meta.url)),
        [name, JSON.stringify(target)],
        {
          execArgv: ['--import', 'tsx', '--expose-gc', '--no-warnings'],
        },
      )
      workers.set(name, worker)
      await Promise.race([once(worker, 'message'), once(worker, 'exit')])
    }
    // The rounds before the first are not counted: they open connections and let the compiler warm up.
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const name of rotated(names, round)) {
        const worker = workers.get(name)!
        if (failures.has(name)) continue
        if (!worker.connected) {
          failures.set(name, 'did not start')
          continue
        }
        worker.send(request)
        const [answer] = (await Promise.race([
          once(worker, 'message'),
          once(worker, 'exit').then(() => [{ ok: false, message: 'ended' }]),
        ])) as [{ ok: true; result: RoundResult } | { ok: false; message: string }]
        if (!answer.ok) failures.set(name, answer.message)
        else if (round >= 0) results.set(name, [...(results.get(name) ?? []), answer.result])
      }
    }
  } finally {
    for (const worker of workers.values()) if (worker.connected) worker.disconnect()
  }
  return names.map(contender => {
    const failure = failures.get(contender)
    if (failure !== undefined) return { contender, failure }
    const all = results.get(contender)!
    const of = (field: keyof RoundResult) => spread(all.map(result => result[field]))
    return {
      contender,
      perSecond: of('perSecond'),
      cpuMicros: of('cpuMicros'),
      mebibytesPerSecond: of('mebibytesPerSecond'),
      peakMebibytes: of('peakMebibytes'),
    }
  })
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = ((by % items.length) + items.length) % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
