import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { migrationJobs } from '../../../src/migrate/jobs/migration-jobs.ts'
import { runOnWorkers } from '../../../src/migrate/jobs/run-on-workers.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { describeWithTool } from '../../support/describe-with-tool.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { type RunningRedis, startRedis } from '../../support/redis.ts'
import type { WorkerTask } from './worker.ts'

/** Inside node_modules, so that what is not bundled is found and git does not see it. */
const CACHE = join(import.meta.dirname, '../../../node_modules/.cache')
const OBJECTS = 120
/** Long enough for a machine that is busy with other tests. */
const LEASE_MS = 4_000
const LIMIT_MS = 120_000
/** Of a process that copies two at once: those, the next ones, and those that are being recorded. */
const UNDER_WAY = 6

let folder: string
let worker: string

beforeAll(async () => {
  mkdirSync(CACHE, { recursive: true })
  folder = mkdtempSync(join(CACHE, 'jobs-'))
  worker = join(folder, 'worker.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Two folders, the first with objects, a planned migration, and workers over them. */
async function setting(name: string, redis: RunningRedis) {
  const at = mkdtempSync(join(folder, `${name}-`))
  const [from, to] = [local({ root: join(at, 'from') }), local({ root: join(at, 'to') })]
  const manifest = sqlite({ path: join(at, 'manifest.db') })
  onTestFinished(async () => {
    await manifest.close()
  })
  for (let n = 0; n < OBJECTS; n++) await from.upload(`key-${String(n).padStart(4, '0')}`, `body ${n}`)
  const options = { from, to, manifest }
  await migrate(options).plan()
  const jobs = migrationJobs(options, { redis: redis.url, objectsPerJob: 20, leaseMs: LEASE_MS })
  onTestFinished(() => jobs.close())
  const start = (slowMs: number) =>
    new TestWorker({
      from: `file:${join(at, 'from')}`,
      to: `file:${join(at, 'to')}`,
      manifest: `sqlite:${join(at, 'manifest.db')}`,
      redis: redis.url,
      leaseMs: LEASE_MS,
      slowMs,
    })
  const result = async () => {
    let last: unknown
    for await (const event of migrate(options)) if (event.kind === 'done') last = event.result
    return last
  }
  return { jobs, start, result, options }
}

class TestWorker {
  readonly puts: string[] = []
  readonly copied: string[] = []
  readonly child: ChildProcess
  readonly ended: Promise<string>
  #stderr = ''

  constructor(task: WorkerTask) {
    this.child = spawn(process.execPath, [worker, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stderr!.on('data', chunk => {
      this.#stderr += chunk
    })
    createInterface({ input: this.child.stdout! }).on('line', line => {
      const [word, key = ''] = line.split(' ')
      if (word === 'put') this.puts.push(key)
      if (word === 'copied') this.copied.push(key)
    })
    this.ended = new Promise(resolve =>
      this.child.once('close', (code, signal) =>
        resolve(signal ?? `${code}${code === 0 ? '' : this.#stderr}`),
      ),
    )
    onTestFinished(() => void this.child.kill('SIGKILL'))
  }
}

function timesPut(workers: readonly TestWorker[]): number[] {
  const times = new Map<string, number>()
  for (const key of workers.flatMap(({ puts }) => puts)) times.set(key, (times.get(key) ?? 0) + 1)
  return [...times.values()]
}

describeWithTool('redis-server', 'jobs of a migration', command => {
  let redis: RunningRedis
  beforeAll(async () => {
    redis = await startRedis(command)
  })
  afterAll(() => redis.stop())

  it(
    'are done by three processes, and what one that is killed had is done by the others',
    async () => {
      const { jobs, start, result } = await setting('killed', redis)
      expect(await jobs.enqueue()).toMatchObject({ jobs: 6, objects: OBJECTS })
      await expect(jobs.enqueue()).rejects.toMatchObject({ code: 'conflict' })
      const workers = [start(40), start(40), start(40)]
      await eventually(() => expect(workers[0]!.copied.length).toBeGreaterThan(2))
      workers[0]!.child.kill('SIGKILL')
      expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(['SIGKILL', '0', '0'])
      expect(await jobs.counts()).toEqual({ waiting: 0, active: 0, failed: 0 })
      const times = timesPut(workers)
      expect([times.length, Math.max(...times)]).toEqual([OBJECTS, expect.toSatisfy(most => most <= 2)])
      expect(times.filter(count => count > 1).length).toBeLessThanOrEqual(UNDER_WAY)
      expect(await result()).toMatchObject({ complete: true, copied: 0, statuses: { match: OBJECTS } })
    },
    LIMIT_MS,
  )

  it(
    'are not done again by a process that stood still and comes back',
    async () => {
      const { jobs, start, result } = await setting('paused', redis)
      await jobs.enqueue()
      const paused = start(60)
      await eventually(() => expect(paused.copied.length).toBeGreaterThan(2))
      paused.child.kill('SIGSTOP')
      const other = start(5)
      expect(await other.ended).toBe('0')
      paused.child.kill('SIGCONT')
      expect(await paused.ended).toBe('0')
      const times = timesPut([paused, other])
      expect([times.length, times.filter(count => count > 1).length]).toEqual([
        OBJECTS,
        expect.toSatisfy(again => again <= UNDER_WAY),
      ])
      expect(await result()).toMatchObject({ complete: true, statuses: { match: OBJECTS } })
    },
    LIMIT_MS,
  )

  it(
    'are given back by a process that is told to end',
    async () => {
      const { jobs, start } = await setting('ended', redis)
      await jobs.enqueue()
      const ended = start(30)
      await eventually(() => expect(ended.copied.length).toBeGreaterThan(2))
      ended.child.kill('SIGTERM')
      expect(await ended.ended).toBe('0')
      const { waiting, active, failed } = await jobs.counts()
      expect([active, failed]).toEqual([0, 0])
      expect(waiting).toBeGreaterThan(0)
      const report = await jobs.work({ untilDone: true })
      expect(report.copied + ended.copied.length).toBe(OBJECTS)
    },
    LIMIT_MS,
  )

  it(
    'verify, too',
    async () => {
      const { jobs, options } = await setting('verified', redis)
      await migrate(options).run()
      await options.to.upload('key-0007', 'body 8')
      expect(await jobs.enqueue({ verify: 'content' })).toMatchObject({ jobs: 6 })
      expect(await jobs.work({ untilDone: true, concurrency: 2 })).toMatchObject({ jobs: 6, copied: 0 })
      const { byStatus } = await migrate(options).status()
      expect([byStatus.match.objects, byStatus.differ.objects]).toEqual([OBJECTS - 1, 1])
    },
    LIMIT_MS,
  )

  it(
    'copy again what differs, and may replace what another hand has put there only where the run says so',
    async () => {
      const { jobs, options } = await setting('repaired', redis)
      await migrate(options).run()
      await options.to.upload('key-0007', 'of another hand')
      const ended = new AbortController()
      const working = jobs.work({ signal: ended.signal })
      const repaired = { ...options, verify: 'content', repair: true } as const
      expect(await runOnWorkers(repaired, jobs)).toMatchObject({ complete: false, copied: 0 })
      const replacing = { ...repaired, existing: 'overwrite' } as const
      const others = migrationJobs(replacing, { redis: redis.url, leaseMs: LEASE_MS })
      onTestFinished(() => others.close())
      expect(await runOnWorkers(replacing, others)).toMatchObject({ complete: true, copied: 1 })
      expect(await (await options.to.download('key-0007')).text()).toBe('body 7')
      ended.abort()
      await working
    },
    LIMIT_MS,
  )

  it(
    'are waited for by one run only',
    async () => {
      const { jobs, options } = await setting('twice', redis)
      const ended = new AbortController()
      const first = runOnWorkers(options, jobs, { signal: ended.signal })
      await eventually(async () => expect(await jobs.counts()).toMatchObject({ waiting: 6 }))
      await expect(runOnWorkers(options, jobs)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('another run is at this migration'),
      })
      ended.abort()
      await expect(first).rejects.toThrow()
      await jobs.work({ untilDone: true })
      expect(await runOnWorkers(options, jobs)).toMatchObject({ complete: true })
    },
    LIMIT_MS,
  )

  it('want a plan', async () => {
    const [from, to] = [local({ root: join(folder, 'a') }), local({ root: join(folder, 'b') })]
    const manifest = sqlite({ path: ':memory:' })
    const jobs = migrationJobs({ from, to, manifest, name: 'unplanned' }, { redis: redis.url })
    await expect(jobs.enqueue()).rejects.toMatchObject({ code: 'conflict' })
    await jobs.close()
    await manifest.close()
  })

  it('say so where Redis does not answer, without its password', async () => {
    const [from, to] = [local({ root: join(folder, 'a') }), local({ root: join(folder, 'b') })]
    const manifest = sqlite({ path: ':memory:' })
    const url = `redis://:hunter2@127.0.0.1:${await freePort()}`
    const jobs = migrationJobs({ from, to, manifest }, { redis: url })
    const error = await jobs.work().catch((thrown: Error) => thrown)
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/Redis does not answer/),
    })
    expect(JSON.stringify([error, (error as Error).message, (error as Error).stack])).not.toContain('hunter2')
    await jobs.close()
    await manifest.close()
  })
})
