/** A process that works on jobs, and says each put and each copy. `slow`: so many milliseconds before each put. */
import { setTimeout as wait } from 'node:timers/promises'
import { forward } from '../../../src/decorators/forward.ts'
import { migrationJobs } from '../../../src/migrate/jobs/migration-jobs.ts'
import { open, openEngine } from '../../../src/open.ts'

export interface WorkerTask {
  readonly from: string
  readonly to: string
  readonly manifest: string
  readonly redis: string
  readonly leaseMs: number
  readonly slowMs: number
}

const { slowMs, redis, leaseMs, ...urls } = JSON.parse(process.argv[2]!) as WorkerTask
const [from, to, manifest] = await Promise.all([open(urls.from), open(urls.to), openEngine(urls.manifest)])
const say = (line: string) => process.stdout.write(`${line}\n`)
const telling = forward(to, {
  async upload(key, body, options) {
    say(`put ${key}`)
    await wait(slowMs)
    return to.upload(key, body, options)
  },
})
const jobs = migrationJobs(
  { from, to: telling, manifest, limits: { concurrency: 2 } },
  { redis, leaseMs, objectsPerJob: 20 },
)
const ended = new AbortController()
process.once('SIGTERM', () => ended.abort())
const report = await jobs.work({
  untilDone: true,
  signal: ended.signal,
  onEvent(event) {
    if (event.kind === 'copied') say(`copied ${event.row.sourceKey}`)
  },
})
await jobs.close()
await Promise.all([from.close(), to.close(), manifest.close()])
say(`done ${JSON.stringify(report)}`)
