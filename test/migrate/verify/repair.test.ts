import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import { planRepairs } from '../../../src/migrate/verify/plan-repairs.ts'
import { migrated, ofKind, textsOf, twoSides } from '../copy/two-sides.ts'

/** A store in which the bytes of a key rot under their size and etag, until they are written again. */
function rotting(): { store: StorageProvider; rot(key: string): void } {
  const inner = memory()
  const rotten = new Set<string>()
  const store = forward(inner, {
    async upload(key, body, options) {
      const info = await inner.upload(key, body, options)
      rotten.delete(key)
      return info
    },
    async download(key, options) {
      const download = await inner.download(key, options)
      if (!rotten.has(key)) return download
      return download.through(source => ({
        async *chunks() {
          for await (const chunk of source.chunks()) yield Uint8Array.from(chunk, byte => byte ^ 1)
        },
        cancel: () => source.cancel(),
      }))
    },
  })
  return { store, rot: key => void rotten.add(key) }
}

async function world(given: Partial<MigrateOptions> = {}) {
  const [source, destination] = [rotting(), rotting()]
  const sides = await twoSides(
    { a: 'one', b: 'two', c: 'three' },
    { from: source.store, to: destination.store },
  )
  const options = { ...sides, ...given }
  const run = (more: Partial<MigrateOptions> = {}) => migrated({ ...options, ...more })
  await run()
  return { ...sides, source, destination, run, verify: () => migrate(options).verify({ level: 'content' }) }
}

test('a copy that was read back wrong is made again, and read back again', async () => {
  const { destination, run, verify, to, manifest } = await world()
  destination.rot('b')
  expect(await verify()).toMatchObject({ complete: false, statuses: { differ: 1 } })
  const { events, result } = await run({ repair: true })
  expect(result).toMatchObject({ complete: true, copied: 1, repaired: 1, statuses: { match: 3 } })
  expect(ofKind(events, 'repair')).toMatchObject([{ key: 'b' }])
  expect(await textsOf(to)).toEqual({ a: 'one', b: 'two', c: 'three' })
  expect(await (await openManifest(manifest, 'default')).row('b')).toMatchObject({
    status: 'match',
    level: 'content',
  })
  expect((await run({ repair: true })).result).toMatchObject({ complete: true, copied: 0, repaired: 0 })
})

test('a run that verifies by content repairs what it finds itself', async () => {
  const { destination, run, to } = await world({ verify: 'attributes' })
  destination.rot('c')
  expect((await run({ verify: 'content', repair: true })).result).toMatchObject({
    complete: true,
    repaired: 1,
  })
  expect(await textsOf(to)).toMatchObject({ c: 'three' })
})

test('without repair a copy that differs stays as it is', async () => {
  const { destination, run, verify } = await world()
  destination.rot('b')
  await verify()
  const { result } = await run()
  expect(result).toMatchObject({ complete: false, copied: 0, statuses: { differ: 1 } })
  expect(result.repaired).toBeUndefined()
})

test('what another hand has put in its place is not repaired, unless existing says overwrite', async () => {
  const { to, run, verify } = await world()
  await to.upload('b', 'of another hand')
  await verify()
  expect((await run({ repair: true })).result).toMatchObject({ complete: false, refused: 1 })
  expect(await textsOf(to)).toMatchObject({ b: 'of another hand' })
  expect((await run({ repair: true, existing: 'overwrite' })).result).toMatchObject({ complete: true })
  expect(await textsOf(to)).toMatchObject({ b: 'two' })
})

test('what another hand puts there between the plan and the copy is not overwritten', async () => {
  const { destination, verify, from, to, manifest } = await world()
  destination.rot('b')
  await verify()
  let isBusy = true
  const raced = forward(to, {
    async upload(key, body, options) {
      if (isBusy) await to.upload(key, 'of another hand')
      isBusy = false
      return to.upload(key, body, options)
    },
  })
  const { result } = await migrated({ from, to: raced, manifest, repair: true })
  expect(result).toMatchObject({ complete: false, refused: 1 })
  expect(await textsOf(to)).toMatchObject({ b: 'of another hand' })
})

test('a copy whose source has rotted, or has gone, is left as it is', async () => {
  const { source, destination, from, to, run, verify } = await world()
  source.rot('a')
  destination.rot('b')
  await verify()
  await from.delete('b')
  const { events, result } = await run({ repair: true })
  expect(result).toMatchObject({ complete: false, copied: 0, repaired: 0 })
  expect(ofKind(events, 'repair')).toEqual([])
  expect(await textsOf(to)).toMatchObject({ a: 'one' })
  expect(await to.exists('b')).toBe(true)
})

test('a copy that is missing is made again', async () => {
  const { to, run, verify } = await world()
  await to.delete('b')
  expect(await verify()).toMatchObject({ statuses: { 'missing-destination': 1 } })
  expect((await run({ repair: true })).result).toMatchObject({ complete: true, copied: 1 })
})

test('a repair that ended before it copied goes on with the next run', async () => {
  const { destination, run, verify, to, manifest } = await world()
  destination.rot('b')
  await verify()
  await planRepairs(await openManifest(manifest, 'default'), () => {})
  expect((await run()).result).toMatchObject({ complete: true, copied: 1 })
  expect(await textsOf(to)).toMatchObject({ b: 'two' })
})
