/** One contender in a process of its own. A round is so many reads of 100 URLs, one after the other. */
import { CONTENDERS } from './contenders.ts'

export interface CachedUrlsRound {
  millis: number
  cpuMillis: number
}

const KEYS = Array.from({ length: 100 }, (_, n) => `user-${n}/thread/insert_${n}.jpg`)

const [name, url] = process.argv.slice(2) as [string, string]
const contender = await CONTENDERS[name]!(url)
process.on('message', async ({ count }: { count: number }) => {
  try {
    const cpu = process.cpuUsage()
    const began = performance.now()
    for (let n = 0; n < count; n++) {
      const last = await contender.read(KEYS)
      if (!last.includes('insert_99')) throw new Error(`read ${last}`)
    }
    const millis = (performance.now() - began) / count
    const { user, system } = process.cpuUsage(cpu)
    process.send!({ ok: true, result: { millis, cpuMillis: (user + system) / 1000 / count } })
  } catch (error) {
    process.send!({ ok: false, message: String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
