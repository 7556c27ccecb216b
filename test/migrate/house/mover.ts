/** A process that migrates, and says what it does, one line each, until it is killed. Keys are encoded as in URLs: some hold what ends a line. */
import { setTimeout as wait } from 'node:timers/promises'
import { isStorageError } from '../../../src/core/errors.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrationJobs } from '../../../src/migrate/jobs/migration-jobs.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { VerifyLevel } from '../../../src/migrate/migrate-options.ts'
import type { OnEvent } from '../../../src/migrate/migration-event.ts'
import { open, openEngine } from '../../../src/open.ts'
import { MOVER_LIMITS } from './mover-limits.ts'

export interface MoverTask {
  /** URLs, as `open` and `openEngine` take them. */
  readonly from: string
  readonly to: string
  readonly manifest: string
  readonly level?: VerifyLevel
  /** Works on jobs of a Redis until SIGTERM, instead of moving the whole. `slowMs`: before each put. */
  readonly jobs?: { readonly redis: string; readonly leaseMs: number; readonly slowMs: number }
}

const task = JSON.parse(process.argv[2]!) as MoverTask
const [from, to, manifest] = await Promise.all([open(task.from), open(task.to), openEngine(task.manifest)])
const say = (line: string) => process.stdout.write(`${line}\n`)
const telling = forward(to, {
  async upload(key, body, options) {
    say(`put ${encodeURIComponent(key)}`)
    if (task.jobs !== undefined) await wait(task.jobs.slowMs)
    return to.upload(key, body, options)
  },
  uploadResumable(key, source, options) {
    say(`put ${encodeURIComponent(key)}`)
    return to.uploadResumable(key, source, options)
  },
})
const onEvent: OnEvent = event => {
  if (event.kind === 'copied') say(`copied ${encodeURIComponent(event.row.sourceKey)}`)
  if (event.kind === 'retry') say(`retry ${encodeURIComponent(event.key)}`)
  if (event.kind === 'failed') say(`failed ${encodeURIComponent(event.row.sourceKey)} ${event.error.message}`)
  if (event.kind === 'done') say(`done ${JSON.stringify(event.result)}`)
}
const options = { from, to: telling, manifest, limits: MOVER_LIMITS }
say('begun')
try {
  if (task.jobs !== undefined) {
    const { redis, leaseMs } = task.jobs
    const jobs = migrationJobs(options, { redis, leaseMs, objectsPerJob: 20 })
    const ended = new AbortController()
    process.once('SIGTERM', () => ended.abort())
    await jobs.work({ signal: ended.signal, onEvent })
    await jobs.close()
  } else {
    for await (const event of migrate({ ...options, ...(task.level ? { verify: task.level } : {}) }))
      await onEvent(event)
  }
} catch (error) {
  // A store that is away ends it, and so do other things, which must not.
  if (!isStorageError(error)) throw error
  say(`ended ${error.code} ${error.message}`)
}
await Promise.all([from.close(), to.close(), manifest.close()])
