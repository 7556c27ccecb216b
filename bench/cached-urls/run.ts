/**
 * 100 cached URLs on a real Redis: ours against the bare MGET and against caches that others use, in one run. Needs a
 * build and `npm ci --prefix bench`; `--quick` tries the bench itself. Prints, and writes results/cached-urls.json.
 */
import { writeFile } from 'node:fs/promises'
import { startRedis } from '../../test/support/redis.ts'
import { findTool, missingTool } from '../../test/support/tools.ts'
import { spreads, takeTurns } from '../turns.ts'
import { CONTENDERS } from './contenders.ts'
import type { CachedUrlsRound } from './worker.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 1 : 15
const COUNT = quick ? 20 : 200

const command = findTool('redis-server')
if (command === undefined) throw new Error(missingTool('redis-server'))
const server = await startRedis(command)
try {
  const worker = new URL('./worker.ts', import.meta.url)
  const entrants = Object.keys(CONTENDERS).map(name => ({ name, worker, args: [name, server.url] }))
  const results = spreads(await takeTurns<CachedUrlsRound>(entrants, { count: COUNT }, ROUNDS))
  const bare = results.find(one => one.contender === 'bare MGET')!
  console.table(
    Object.fromEntries(
      results.map(one => [
        one.contender,
        one.failure === undefined
          ? {
              'ms for 100': one.millis!.median.toFixed(3),
              '× MGET': (one.millis!.median / bare.millis!.median).toFixed(2),
              'CPU ms': one.cpuMillis!.median.toFixed(3),
              'CPU × MGET': (one.cpuMillis!.median / bare.cpuMillis!.median).toFixed(2),
            }
          : { failed: one.failure },
      ]),
    ),
  )
  if (!quick) {
    const machine = { node: process.version, server: 'redis-server on loopback', rounds: ROUNDS }
    const file = new URL('../results/cached-urls.json', import.meta.url)
    await writeFile(file, `${JSON.stringify({ machine, results }, null, 1)}\n`)
  }
} finally {
  await server.stop()
}
