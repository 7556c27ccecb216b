import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { textsOf } from '../copy/two-sides.ts'
import { migrated } from './migrated.ts'

test('a foreign object that came while copying stays foreign when its source goes and comes back', async () => {
  const inner = memory()
  let isBusy = true
  const to = forward(inner, {
    async upload(key, body, options) {
      // Another hand is faster, between the plan and the put.
      if (isBusy) await inner.upload(key, 'of another hand')
      isBusy = false
      return inner.upload(key, body, options)
    },
  })
  const { from, run, row, verify } = await migrated({ a: 'ours' }, { to, verify: 'attributes' })
  expect(await row('a')).toMatchObject({ state: 'refused', errorCode: 'exists' })
  await from.delete('a')
  await run()
  expect((await row('a')).state).toBe('gone')
  await from.upload('a', 'ours', { checksum: 'sha256' })
  await run()
  expect(await row('a')).toMatchObject({ state: 'refused', errorCode: 'exists' })
  expect(await verify()).toMatchObject({ complete: false })
  expect(await textsOf(to)).toEqual({ a: 'of another hand' })
})

test('a copy that was lost does not count as there when its source goes and comes back', async () => {
  const { from, to, run, row, settings, manifest } = await migrated({ a: 'ours' }, { verify: 'attributes' })
  const { planMigration } = await import('../../../src/migrate/plan/plan-migration.ts')
  await to.delete('a')
  await planMigration(settings, manifest)
  expect((await row('a')).state).toBe('planned')
  await from.delete('a')
  await planMigration(settings, manifest)
  expect((await row('a')).state).toBe('gone')
  await from.upload('a', 'ours', { checksum: 'sha256' })
  await to.upload('a', 'of another hand')
  await run()
  expect(await row('a')).toMatchObject({ state: 'refused', errorCode: 'exists' })
})

test('a copy of another size than its source is no match, whatever was written down', async () => {
  const { manifest, to, verify, statuses } = await migrated({ a: 'one', b: 'two' })
  const { etag, size } = await to.upload('a', 'longer than one')
  await manifest.write([
    { sourceKey: 'a', destinationEtag: etag!, destinationSize: size, destinationChecksum: null },
  ])
  for (const level of ['attributes', 'checksum', 'content'] as const) {
    expect(await verify({ level })).toMatchObject({ complete: false })
    expect(await statuses()).toEqual({ a: 'differ', b: 'match' })
  }
})
