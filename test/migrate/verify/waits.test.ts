import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { faults } from '../../../src/decorators/faults.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrated } from './migrated.ts'

/** MinIO calls itself overloaded, for a minute, where an object is rotten on its disk. */
test('an object that its store asks to wait for holds up no other, and is waited for half a minute at most', async () => {
  let isOtherRead = () => {}
  const otherRead = new Promise<void>(resolve => {
    isOtherRead = resolve
  })
  const failing = faults(memory(), {
    seed: 1,
    rules: [
      { kind: 'before', operations: ['download'], key: /^a/, code: 'rate-limited', retryAfterMs: 60_000 },
    ],
  })
  failing.faults.enabled = false
  const to = forward(failing, {
    download(key, options) {
      if (key === 'b.txt') isOtherRead()
      return failing.download(key, options)
    },
  })
  const { verify, statuses } = await migrated(
    { 'a.txt': 'rotten', 'b.txt': 'sound' },
    { to, limits: { concurrency: 1 } },
  )
  failing.faults.enabled = true
  const waits: number[] = []
  await verify({
    level: 'content',
    async sleep(ms) {
      waits.push(ms)
      await otherRead
    },
  })
  expect(await statuses()).toEqual({ 'a.txt': 'error', 'b.txt': 'match' })
  expect(waits).toEqual([30_000, 30_000, 30_000, 30_000])
})
