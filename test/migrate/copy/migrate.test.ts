import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrationEvent } from '../../../src/migrate/migration-event.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

test('iterating over a migration plans, copies and verifies, and ends with the result', async () => {
  const [from, to, engine] = [memory(), memory(), sqlite({ path: ':memory:' })]
  for (let at = 0; at < 30; at++)
    await from.upload(`a/${at}.txt`, `text ${at}`, { cacheControl: 'no-store', metadata: { n: String(at) } })
  const events: MigrationEvent[] = []
  for await (const event of migrate({ from, to, manifest: engine })) events.push(event)
  expect(events.at(-1)).toMatchObject({
    kind: 'done',
    result: { complete: true, copied: 30, failed: 0, refused: 0 },
  })
  expect(events.filter(event => event.kind === 'copied')).toHaveLength(30)
  const arrived = await to.download('a/7.txt')
  expect(arrived.info).toMatchObject({
    contentType: 'text/plain',
    cacheControl: 'no-store',
    metadata: { n: '7' },
  })
  expect(await arrived.text()).toBe('text 7')
  await engine.close()
})
