/** Rounds of one piece of work in a process per contender; they take turns, so that a noisy moment hits all of them. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Spread, spread } from './spread.ts'

const WARM_UP_ROUNDS = 2

export interface Entrant {
  name: string
  /** A module that sends a message when it is ready, and one for each request: see `Answer`. */
  worker: URL
  args: readonly string[]
}

export type Answer<Result> = { ok: true; result: Result } | { ok: false; message: string }

/** What the rounds of each gave, in order; where it failed, why. */
export type Rounds<Result> = Map<string, Result[] | { failure: string }>

export async function takeTurns<Result>(
  entrants: readonly Entrant[],
  request: object,
  rounds: number,
): Promise<Rounds<Result>> {
  const workers = new Map<string, ChildProcess>()
  const results: Rounds<Result> = new Map()
  try {
    for (const { name, worker: module, args } of entrants) {
      const worker = fork(fileURLToPath(module), args, {
        execArgv: ['--import', 'tsx', '--expose-gc', '--no-warnings'],
      })
      workers.set(name, worker)
      results.set(name, [])
    }
    await Promise.all([...workers.values()].map(messageOrEnd))
    // The rounds before the first are not counted: they open connections and let the compiler warm up.
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const { name } of rotated(entrants, round)) {
        const worker = workers.get(name)!
        const soFar = results.get(name)!
        if (!Array.isArray(soFar)) continue
        const answer = await ask<Result>(worker, request)
        if (!answer.ok) results.set(name, { failure: answer.message })
        else if (round >= 0) soFar.push(answer.result)
      }
    }
  } finally {
    // Their server may be stopped next, which no connection of theirs should live to see.
    await Promise.all([...workers.values()].map(ended))
  }
  return results
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const exit = once(worker, 'exit')
  if (worker.connected) worker.disconnect()
  await exit
}

async function ask<Result>(worker: ChildProcess, request: object): Promise<Answer<Result>> {
  if (!worker.connected) return { ok: false, message: 'did not start' }
  worker.send(request)
  return ((await messageOrEnd(worker)) as Answer<Result> | undefined) ?? { ok: false, message: 'ended' }
}

/** Its next message; undefined where it ends before. */
async function messageOrEnd(worker: ChildProcess): Promise<unknown> {
  const settled = new AbortController()
  const { signal } = settled
  const ended = once(worker, 'exit', { signal }).then(() => [undefined])
  try {
    return (await Promise.race([once(worker, 'message', { signal }), ended]))[0]
  } finally {
    // Whoever waits on loses its listener: thousands of rounds would leave thousands.
    settled.abort()
  }
}

export type Contested<Result> = { contender: string; failure?: string } & { [Field in keyof Result]?: Spread }

/** Each figure of each contender over its rounds. */
export function spreads<Result extends object>(rounds: Rounds<Result>): Contested<Result>[] {
  return [...rounds].map(([contender, results]) => {
    if (!Array.isArray(results)) return { contender, ...results } as Contested<Result>
    const fields = Object.keys(results[0]!) as (keyof Result)[]
    const figures = fields.map(field => [field, spread(results.map(result => result[field] as number))])
    return { contender, ...Object.fromEntries(figures) } as Contested<Result>
  })
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = ((by % items.length) + items.length) % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
