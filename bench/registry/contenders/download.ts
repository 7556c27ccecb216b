/** Downloads of one plugin after the other, as a client makes them: redirects are followed, and every byte is read. */
import type { TimedContender } from '../../timed-contender.ts'

export async function create({ urls }: { urls: readonly string[] }): Promise<TimedContender> {
  return {
    atOnce: 16,
    async operate(index) {
      const response = await fetch(urls[index % urls.length]!)
      if (!response.ok) throw new Error(`${response.url} answered ${response.status}`)
      for await (const _ of response.body!) {
        // Read and dropped.
      }
    },
  }
}
