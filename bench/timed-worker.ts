/** One contender in a process of its own, so that its CPU time is its own. Runs a round when told to. */
import type { Operate, TimedContender } from './timed-contender.ts'

export interface TimedRequest {
  seconds: number
}

export interface TimedResult {
  perSecond: number
  /** Microseconds of this process's CPU, all its threads, user and system, per operation. */
  cpuMicros: number
}

let index = 0

/** What answers at once is not waited for: a bare library is not charged for our promises. */
async function client(operate: Operate, until: number): Promise<void> {
  while (performance.now() < until) {
    const answer = operate(index++)
    if (answer instanceof Promise) await answer
  }
}

async function round(contender: TimedContender, { seconds }: TimedRequest): Promise<TimedResult> {
  const { operate, atOnce, counts = 1 } = contender
  const first = index
  const cpu = process.cpuUsage()
  const start = performance.now()
  const until = start + seconds * 1000
  await Promise.all(Array.from({ length: atOnce }, () => client(operate, until)))
  const taken = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const count = (index - first) * counts
  return { perSecond: count / taken, cpuMicros: (user + system) / count }
}

const [module, options] = process.argv.slice(2) as [string, string]
try {
  const { create } = (await import(module)) as { create(options: unknown): Promise<TimedContender> }
  const contender = await create(JSON.parse(options))
  process.on('message', async (request: TimedRequest) => {
    try {
      process.send!({ ok: true, result: await round(contender, request) })
    } catch (error) {
      process.send!({ ok: false, message: String(error) })
    }
  })
} catch (error) {
  process.on('message', () => process.send!({ ok: false, message: String(error) }))
}
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
