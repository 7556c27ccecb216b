import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { forward } from '../../src/decorators/forward.ts'
import { prepareClaims } from '../../src/migrate/claim.ts'
import { migrate } from '../../src/migrate/migrate.ts'
import { runHolder, withRunClaim } from '../../src/migrate/run-claim.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { migrated, textsOf, twoSides } from './copy/two-sides.ts'

const FOREIGN = 'aaaaaaaa-bbbbbbbb-1-1-cccccccc 1 process 1 on elsewhere'
const { signal } = new AbortController()

/** A database with a claim, and a time in which only waits go by. */
async function claimed(holder: string) {
  const engine = sqlite({ path: ':memory:' })
  await prepareClaims({ engine })
  await engine.batch([
    ['INSERT INTO stowage_migration_claims (id, holder, beat) VALUES (?, ?, 7)', 'run of default', holder],
  ])
  let time = 0
  let isOver = false
  const claim = {
    engine,
    name: 'default',
    signal,
    elapsed: () => time,
    async sleep(ms: number, until: AbortSignal | undefined) {
      // Beats of the run itself: none while it lasts.
      if (isOver) return new Promise<void>(resolve => until?.addEventListener('abort', () => resolve()))
      time += ms
    },
  }
  const run = () =>
    withRunClaim(claim, async () => {
      isOver = true
      return 'done'
    })
  return { engine, claim, run, time: () => time }
}

test('a second run says who is at it, copies nothing, and the first goes on', async () => {
  const sides = await twoSides({ a: 'one', b: 'two' })
  let second: unknown
  const from = forward(sides.from, {
    async download(key, options) {
      second ??= await migrated(sides).catch(error => error)
      return sides.from.download(key, options)
    },
  })
  expect((await migrated({ ...sides, from })).result).toMatchObject({ complete: true, copied: 2 })
  expect(second).toMatchObject({
    code: 'conflict',
    retryable: false,
    message: expect.stringContaining(`process ${process.pid} on `),
  })
  expect((await migrated(sides)).result).toMatchObject({ complete: true, copied: 0 })
}, 60_000)

test('beside lets both run, and both are right', async () => {
  const sides = await twoSides({ a: 'one', b: 'two' })
  let second: Promise<{ result: unknown }> | undefined
  const from = forward(sides.from, {
    async download(key, options) {
      second ??= migrated({ ...sides, beside: true })
      await second
      return sides.from.download(key, options)
    },
  })
  expect((await migrated({ ...sides, from })).result).toMatchObject({ complete: true })
  expect((await second!).result).toMatchObject({ complete: true })
  expect(await textsOf(sides.to)).toEqual({ a: 'one', b: 'two' })
})

test('a migration of another name is not in the way', async () => {
  const sides = await twoSides({ a: 'one' })
  let other: unknown
  const from = forward(sides.from, {
    async download(key, options) {
      other ??= (await migrated({ ...sides, to: memory(), name: 'other' })).result
      return sides.from.download(key, options)
    },
  })
  await migrated({ ...sides, from })
  expect(other).toMatchObject({ complete: true })
})

test('what a run that was killed on this machine has left is taken at once', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', 'setInterval(() => {}, 1000)'])
  const owner = runHolder().replace(`-${process.pid}-`, `-${child.pid}-`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { run, time } = await claimed(owner)
  expect(await run()).toBe('done')
  // The pause before its own first beat, and none before it had the claim.
  expect(time()).toBeLessThanOrEqual(1_000)
})

test('what a run of another machine has left is taken when its beat stood still for some seconds', async () => {
  const { engine, run, time } = await claimed(FOREIGN)
  expect(await run()).toBe('done')
  expect(time()).toBeGreaterThanOrEqual(6_000)
  expect(time()).toBeLessThan(10_000)
  expect(await engine.query(['SELECT id FROM stowage_migration_claims'])).toEqual([])
})

test('a run of another machine that beats is waited for by nobody', async () => {
  const { engine, claim, time } = await claimed(FOREIGN)
  const sleep = async (ms: number) => {
    await claim.sleep(ms, undefined)
    await engine.batch([['UPDATE stowage_migration_claims SET beat = beat + 1']])
  }
  await expect(withRunClaim({ ...claim, sleep }, async () => 'done')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('process 1 on elsewhere'),
  })
  expect(time()).toBeLessThan(6_000)
})

test('a run whose claim was taken ends and says so', async () => {
  const engine = sqlite({ path: ':memory:' })
  const work = withRunClaim({ engine, name: 'default', signal, leaseMs: 60 }, async until => {
    await engine.batch([['UPDATE stowage_migration_claims SET holder = ?', FOREIGN]])
    await once(until, 'abort')
    throw until.reason
  })
  await expect(work).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('taken') })
  expect(await engine.query(['SELECT holder FROM stowage_migration_claims'])).toEqual([{ holder: FOREIGN }])
})

test('a step by itself asks for no claim', async () => {
  const sides = await twoSides({ a: 'one' })
  await withRunClaim({ engine: sides.manifest, name: 'default', signal }, async () => {
    const migration = migrate(sides)
    await migration.plan()
    expect(await migration.run()).toMatchObject({ copied: 1 })
  })
})
