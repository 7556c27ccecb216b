/** How much the delaying proxy lets through: it must not be what is measured. */
import { Agent, request } from 'node:http'
import type { S3Server } from '../../test/support/s3-server.ts'
import type { Scale } from '../section.ts'
import { startProxy } from './two-stores.ts'

const AT_ONCE = 256

export async function proxyCeiling(server: S3Server, { quick }: Scale): Promise<Record<string, string>> {
  const seconds = quick ? 0.3 : 3
  const counts: Record<string, string> = {
    'GETs a second of MinIO itself, 256 at once': (await answers(server.endpoint, seconds)).toFixed(0),
  }
  for (const delayMs of [0, 30]) {
    const proxy = await startProxy(server.endpoint, delayMs)
    // Its start has cost more than some thousand answers.
    const before = await proxy.seen()
    const perSecond = await answers(proxy.endpoint, seconds)
    const after = await proxy.seen()
    const each = (after.cpu - before.cpu) / (after.requests - before.requests)
    counts[`through the proxy, ${delayMs} ms`] =
      `${perSecond.toFixed(0)} a second, ${each.toFixed(0)} µs of its CPU each`
    await proxy.stop()
  }
  return counts
}

async function answers(endpoint: string, seconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const url = new URL('/minio/health/live', endpoint)
  const until = performance.now() + seconds * 1000
  let count = 0
  const client = async () => {
    while (performance.now() < until) {
      await new Promise<void>((resolve, reject) => {
        const sent = request(url, { agent }, answer => answer.on('end', resolve).resume())
        sent.once('error', reject).end()
      })
      count++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, client))
  agent.destroy()
  return count / seconds
}
