import { expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { StorageError } from '../../../src/core/errors.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import type { CutOverPhase } from '../../../src/migrate/cut-over/phase.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { putInPhase } from '../../support/cut-over-in-phase.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { textsOf } from './texts-of.ts'

const text = { contentType: 'text/plain' }

for (const phase of ['dual-write', 'compare-reads'] satisfies CutOverPhase[])
  it(`reads nothing from a side that has not deleted yet (${phase})`, async () => {
    const [from, to] = [memory(), memory()]
    const engine = sqlite({ path: ':memory:' })
    const refusing = forward(to, {
      deleteMany: async () => {
        throw new StorageError('unavailable', 'deleteMany: it is off')
      },
    })
    const store = cutOver({ from, to: refusing, engine })
    await store.status()
    await putInPhase(engine, 'default', phase)
    await store.upload('a.txt', 'a', text)
    await store.delete('a.txt').catch(() => {})
    expect(await textsOf(to)).toEqual(['a'])
    expect(await store.exists('a.txt')).toBe(false)
    await expect(store.download('a.txt')).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.copy('a.txt', 'b.txt')).rejects.toMatchObject({ code: 'not-found' })
    const listed: unknown[] = []
    for await (const entry of store.list()) listed.push(entry)
    expect(listed).toEqual([])
  })

it('puts and deletes nothing when its lease has run out since the write was written down', async () => {
  const [from, to] = [memory(), memory()]
  const inner = sqlite({ path: ':memory:' })
  let time = 0
  let pauseMs = 0
  const engine = forwardEngine(inner, {
    async batch(statements, options) {
      const result = await inner.batch(statements, options)
      if (options?.condition !== undefined) time += pauseMs
      return result
    },
  })
  const store = cutOver({ from, to, engine, leaseMs: 30_000, monotonic: () => time })
  await store.status()
  await putInPhase(inner, 'default', 'dual-write')
  await store.upload('a.txt', 'a', text)
  pauseMs = 31_000
  await expect(store.upload('b.txt', 'b', text)).rejects.toMatchObject({ code: 'unavailable' })
  await expect(store.delete('a.txt')).rejects.toMatchObject({ code: 'unavailable' })
  expect([await textsOf(from), await textsOf(to)]).toEqual([['a'], ['a']])
})

it('drops nothing from the source that the destination has lost, or has in another size', async () => {
  const [from, to] = [memory(), memory()]
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine, beatMs: 20 })
  await store.status()
  await putInPhase(engine, 'default', 'destination-first')
  for (const key of ['kept.txt', 'lost.txt', 'short.txt']) await store.upload(key, key, text)
  await from.upload('unknown.txt', 'unknown', text)
  await from.upload('another/.stowage/staging/01J9ZK4Q8W2V6T3R5Y7B1N0MXC', 'staged', text)
  await putInPhase(engine, 'default', 'retired')
  await to.delete('lost.txt')
  await to.upload('short.txt', 'x', text)
  expect(await store.dropSource({ apply: true })).toMatchObject({ deleted: 1, kept: 2, unknown: 2 })
  expect(await textsOf(from)).toEqual(['lost.txt', 'short.txt', 'staged', 'unknown'])
})
