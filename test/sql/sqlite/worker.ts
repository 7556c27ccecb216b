/** A process that writes: `node --import tsx worker.ts JOB PATH NAME COUNT`. */
import { HELD } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const [job, path, name, count] = process.argv.slice(2) as [string, string, string, string]
const engine = sqlite({ path, busyTimeoutMs: 60_000 })
const { types } = engine

await engine.batch([
  [`CREATE TABLE IF NOT EXISTS t (k ${types.text} PRIMARY KEY, v ${types.integer} NOT NULL)`],
])
await engine.batch([['INSERT INTO t (k, v) VALUES (?, 0) ON CONFLICT (k) DO NOTHING', 'counter']])

if (job === 'count') {
  for (let n = 0; n < Number(count); n++) {
    const id = `${name}-${n}`
    await engine.batch([[`UPDATE t SET v = v + 1 WHERE k = ? AND ${HELD}`, 'counter', id]], { id })
  }
} else {
  // Until it is killed: a line says that the batch was answered.
  for (let n = 0; ; n++) {
    await engine.batch([
      ['INSERT INTO t (k, v) VALUES (?, ?)', `${name}-${n}-a`, BigInt(n)],
      ['INSERT INTO t (k, v) VALUES (?, ?)', `${name}-${n}-b`, BigInt(n)],
    ])
    process.stdout.write(`${n}\n`)
  }
}
await engine.close()
