/** One contender in a process of its own, so that its CPU time is its own. Runs a round when told to. */
import type { Operate, RecordsContender } from './contenders/contender.ts'

export interface TimedRequest {
  seconds: number
}

export interface TimedResult {
  perSecond: number
  /** Microseconds of this process's CPU, user and system, per operation. */
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

async function round({ operate, atOnce }: RecordsContender, { seconds }: TimedRequest): Promise<TimedResult> {
  const first = index
  const cpu = process.cpuUsage()
  const start = performance.now()
  const until = start + seconds * 1000
  await Promise.all(Array.from({ length: atOnce }, () => client(operate, until)))
  const taken = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (index - first) / taken, cpuMicros: (user + system) / (index - first) }
}

const [module, options] = process.argv.slice(2) as [string, string]
try {
  const { create } = (await import(`./contenders/${module}.ts`)) as {
    create(options: unknown): Promise<RecordsContender>
  }
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
