import { expect, it } from 'vitest'
import { StorageError } from '../../../src/core/errors.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { hasCode } from '../../support/has-code.ts'
import { added } from './manifest-cases.ts'

/** Each batch happens, and of its first `lost` answers none arrives. */
function losing(engine: Engine, lost: { left: number }): Engine {
  return forwardEngine(engine, {
    batch: async (...given) => {
      const result = await engine.batch(...given)
      if (lost.left-- > 0) throw new StorageError('pending', 'batch: the answer was lost')
      return result
    },
  })
}

it('a manifest whose answers are lost sends again, and each change happens once', async () => {
  const lost = { left: 1 }
  const manifest = await openManifest(losing(sqlite({ path: ':memory:' }), lost), 'm')
  lost.left = 1
  await manifest.setSetting('rules', 'one')
  expect(await manifest.setting('rules')).toBe('one')
  lost.left = 2
  await manifest.write([{ ...added('k'), ifRevision: 0 }])
  lost.left = 2
  await manifest.write([{ sourceKey: 'k', state: 'failed', attempts: 1, ifRevision: 1 }])
  expect(await manifest.row('k')).toMatchObject({ state: 'failed', attempts: 1, revision: 2 })
  lost.left = 100
  const never = manifest.write([{ sourceKey: 'k', state: 'copied' }])
  await expect(never).rejects.toSatisfy(hasCode('pending'))
})

it('a manifest that could not be made is made the next time, and goes on after a batch that failed', async () => {
  const down = { is: true }
  const engine = sqlite({ path: ':memory:' })
  const failing = forwardEngine(engine, {
    batch: (...given) =>
      down.is ? Promise.reject(new StorageError('unavailable', 'batch: down')) : engine.batch(...given),
  })
  await expect(openManifest(failing, 'm')).rejects.toSatisfy(hasCode('unavailable'))
  down.is = false
  const manifest = await openManifest(failing, 'm')
  down.is = true
  await expect(manifest.write([added('lost')])).rejects.toSatisfy(hasCode('unavailable'))
  down.is = false
  await manifest.write([added('k')])
  expect(await manifest.row('lost')).toBeUndefined()
  expect(await manifest.row('k')).toBeDefined()
})
