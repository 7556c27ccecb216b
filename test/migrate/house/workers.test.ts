/** The same with the work spread over processes: workers that are killed, and a store that falls under them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { migrationJobs } from '../../../src/migrate/jobs/migration-jobs.ts'
import { runOnWorkers } from '../../../src/migrate/jobs/run-on-workers.ts'
import { bundledWorker } from '../../support/bundled-worker.ts'
import { describeWithTool } from '../../support/describe-with-tool.ts'
import { startRedis } from '../../support/redis.ts'
import { Application, keysHeldBy } from './application.ts'
import { expectMoved, inspected, type Leg, openStore } from './leg.ts'
import { type Blow, live } from './lives.ts'
import { s3Store, supabaseStore } from './stores.ts'

/** Long enough for a machine that is busy with other tests. */
const LEASE_MS = 4_000

describeWithTool('redis-server', 'a house that is lived in', command => {
  test('moves on workers that are killed, and on a store that falls under them', {
    timeout: 600_000,
  }, async context => {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-house-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const mover = await bundledWorker(join(import.meta.dirname, 'mover.ts'))
    onTestFinished(mover.remove)
    const to = await s3Store('minio', context)
    const from = await supabaseStore()
    const redis = await startRedis(command)
    onTestFinished(() => redis.stop())
    const [source, target] = await Promise.all([openStore(from), openStore(to)])
    onTestFinished(async () => void (await Promise.all([source.close(), target.close()])))
    const random = seededRandom(7)
    const manifest = `sqlite:${join(folder, 'manifest.db')}`
    const leg: Leg = { from, to, source, target, manifest, mover: mover.path, random }
    const application = new Application('workers', source, random)
    await application.fill({ keys: keysHeldBy([source, target]), small: 40, large: 1 })

    const task = { from: from.url, to: to.url, manifest }
    const jobs = { redis: redis.url, leaseMs: LEASE_MS, slowMs: 10 }
    const ending = new AbortController()
    const env = { ...from.env, ...to.env }
    const worker = (...blows: Blow[]) =>
      live(mover.path, { ...task, jobs }, env, { blows, ending: ending.signal })
    const result = await inspected(leg, async options => {
      const queue = migrationJobs(options, { redis: redis.url, objectsPerJob: 20, leaseMs: LEASE_MS })
      application.start()
      const killed = Promise.all([
        worker({ copies: 10, kills: true }),
        worker({ copies: 5, fells: to }, { copies: 20, kills: true }),
      ])
      // What they leave is a third one's, when it has been silent for long enough.
      const third = killed.then(() => worker())
      third.catch(() => ending.abort())
      await Promise.all([runOnWorkers(options, queue, { signal: ending.signal }), killed])
      await application.stop()
      const last = await runOnWorkers({ ...options, verify: 'content' }, queue)
      ending.abort()
      const lives = [...(await killed), await third]
      expect(lives.map(({ wasKilled }) => wasKilled)).toEqual([true, true, false])
      await queue.close()
      return last
    })
    expect(result).toMatchObject({ complete: true, failed: 0, refused: 0 })
    await expectMoved(leg, application)
  })
})
