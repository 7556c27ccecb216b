/** Downloads of one plugin after the other: a redirect is followed, and every byte is read. The least work that a client can have. */
import { Agent, request } from 'undici'
import type { TimedContender } from '../../timed-contender.ts'

export async function create({ urls }: { urls: readonly string[] }): Promise<TimedContender> {
  const dispatcher = new Agent({ connections: 16 })

  async function readAll(url: string): Promise<void> {
    const { statusCode, headers, body } = await request(url, { dispatcher })
    for await (const _ of body) {
      // Read and dropped.
    }
    if (statusCode === 302) return readAll(String(headers.location))
    if (statusCode !== 200) throw new Error(`${new URL(url).pathname} answered ${statusCode}`)
  }

  return { atOnce: 16, operate: index => readAll(urls[index % urls.length]!) }
}
