import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { type RqliteCluster, startRqlite } from '../support/rqlite.ts'
import { finished, jsonLines, theProgram } from './program-process.ts'

const { run, start, at } = theProgram()
const COUNT = 150

describeWithTool('redis-server', 'stowage migrate worker', command => {
  let redis: RunningRedis
  let rqlite: RqliteCluster
  beforeAll(async () => {
    redis = await startRedis(command)
    rqlite = await startRqlite()
  })
  afterAll(async () => {
    await Promise.all([redis?.stop(), rqlite?.stop()])
  })

  it('copies what a run hands out, in two processes, with the manifest on rqlite', async () => {
    await mkdir(at('from'))
    for (let file = 0; file < COUNT; file++) await writeFile(at('from', `f${file}`), `text ${file}`)
    const hosts = rqlite.nodes.map(({ url }) => url.replace('http://', '')).join(',')
    const manifest = ['--manifest', `rqlite://${hosts}`]
    const plan = await run(['migrate', 'plan', 'file:./from', 'file:./to', ...manifest])
    expect([plan.code, plan.stderr]).toEqual([0, ''])
    const env = { REDIS_URL: redis.url }
    const workers = [1, 2].map(() => start(['migrate', 'worker', ...manifest, '--json'], env))
    const ends = workers.map(worker => finished(worker))
    const whole = await run(['migrate', 'run', ...manifest, '--workers', '--json'], { env })
    expect([whole.code, whole.stderr]).toEqual([0, ''])
    expect(jsonLines(whole.stdout).at(-1)).toMatchObject({
      action: 'run',
      complete: true,
      copied: COUNT,
      statuses: { match: COUNT },
    })
    expect((await readdir(at('to'))).filter(name => !name.startsWith('.'))).toHaveLength(COUNT)
    await writeFile(at('to', 'f7'), 'of another hand')
    const repair = [
      'migrate',
      'run',
      ...manifest,
      '--workers',
      '--repair',
      '--existing',
      'overwrite',
      '--json',
    ]
    const found = await run(['migrate', 'verify', ...manifest])
    expect(found.code).toBe(6)
    const repaired = await run(repair, { env })
    expect([repaired.code, jsonLines(repaired.stdout).at(-1)]).toEqual([
      0,
      expect.objectContaining({
        complete: true,
        copied: 1,
        statuses: expect.objectContaining({ match: COUNT }),
      }),
    ])
    expect(await readFile(at('to', 'f7'), 'utf8')).toBe('text 7')
    for (const worker of workers) worker.kill('SIGTERM')
    const reports = (await Promise.all(ends)).map(({ stdout }) => jsonLines(stdout).at(-1))
    expect(reports.reduce((sum, report) => sum + Number(report?.copied), 0)).toBe(COUNT + 1)
  }, 120_000)

  it('wants to know where the jobs are, and takes no password from its command line', async () => {
    const args = ['migrate', 'worker', '--manifest', 'sqlite:./none.db']
    expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/set REDIS_URL/) })
    const { code, stderr } = await run([...args, '--redis', 'redis://:hunter2@127.0.0.1'])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/belongs into REDIS_URL/)])
    expect(stderr).not.toContain('hunter2')
  })
})
