/** One contender in a process of its own, so that its CPU time and memory are its own. Runs a round when told to. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, Target } from './contenders/contender.ts'

export interface RoundRequest {
  work: 'get' | 'put' | 'sign' | 'put-stream' | 'get-stream'
  /** Operations in all, and under way at once. */
  count: number
  concurrency: number
  /** Bytes of one object. */
  size: number
}

export interface RoundResult {
  perSecond: number
  /** Microseconds of this process's CPU, user and system, per operation. */
  cpuMicros: number
  mebibytesPerSecond: number
  /** Resident memory at its highest above what it was before the round. */
  peakMebibytes: number
}

const MIB = 2 ** 20
const CHUNK = new Uint8Array(65_536).fill(7)

async function* chunks(size: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < size; sent += CHUNK.length)
    yield CHUNK.subarray(0, Math.min(CHUNK.length, size - sent))
}

async function operation(contender: Contender, request: RoundRequest, index: number): Promise<void> {
  const { work, size } = request
  const key = `${work.startsWith('put') ? 'written' : 'seed'}/${size}/${index % 64}`
  if (work === 'sign') return void (await contender.sign(key))
  if (work === 'put') return contender.put(key, new Uint8Array(size).fill(index))
  if (work === 'put-stream') return contender.putStream!(key, chunks(size))
  let read = 0
  if (work === 'get') read = await contender.get(key)
  else for await (const chunk of await contender.getStream!(key)) read += chunk.length
  if (read !== size) throw new Error(`read ${read} of ${size} bytes`)
}

async function round(contender: Contender, request: RoundRequest): Promise<RoundResult> {
  // Only streams are held to a memory bound; collecting garbage before a short round would throw compiled code away.
  const streams = request.work.endsWith('stream')
  if (streams) globalThis.gc?.()
  await sleep(50)
  const idle = process.memoryUsage.rss()
  let peak = idle
  const sampler = streams
    ? setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss())
      }, 5)
    : undefined
  const cpu = process.cpuUsage()
  const start = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: request.concurrency }, async () => {
      while (next < request.count) await operation(contender, request, next++)
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  clearInterval(sampler)
  return {
    perSecond: request.count / seconds,
    cpuMicros: (user + system) / request.count,
    mebibytesPerSecond: (request.count * request.size) / MIB / seconds,
    peakMebibytes: (Math.max(peak, process.memoryUsage.rss()) - idle) / MIB,
  }
}

const [name, targetJson] = process.argv.slice(2) as [string, string]
const { create } = (await import(`./contenders/${name}.ts`)) as { create(target: Target): Promise<Contender> }
const contender = await create(JSON.parse(targetJson))
process.on('message', async (request: RoundRequest) => {
  try {
    process.send!({ ok: true, result: await round(contender, request) })
  } catch (error) {
    process.send!({ ok: false, message: String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
