import { describe, expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { ObjectInfo, StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrated } from './migrated.ts'

/** Bytes that rot: those of `key` are others from `rot()` on, under the same size and etag. */
function rotting(key: string): { store: StorageProvider; rot(): void; heal(): void } {
  const inner = memory()
  let rotten = false
  const store = forward(inner, {
    async download(name, options) {
      const download = await inner.download(name, options)
      if (!rotten || name !== key) return download
      return download.through(source => ({
        async *chunks() {
          for await (const chunk of source.chunks()) yield Uint8Array.from(chunk, byte => byte ^ 1)
        },
        cancel: () => source.cancel(),
      }))
    },
  })
  return {
    store,
    rot() {
      rotten = true
    },
    heal() {
      rotten = false
    },
  }
}

describe('corruption that level content has found', () => {
  test('is not taken for a match by the next run, which looks at a lower level', async () => {
    const { store, rot } = rotting('b')
    const { run, verify, row } = await migrated({ a: 'one', b: 'two' }, { to: store })
    rot()
    expect(await verify({ level: 'content' })).toMatchObject({ complete: false, statuses: { differ: 1 } })
    await run()
    expect(await row('b')).toMatchObject({ status: 'differ', level: 'content' })
  })

  test('is not taken for a match by a verification at a lower level', async () => {
    const { store, rot, heal } = rotting('b')
    const { verify, row } = await migrated({ a: 'one', b: 'two' }, { to: store })
    rot()
    await verify({ level: 'content' })
    expect(await verify({ level: 'checksum' })).toMatchObject({ complete: false, statuses: { differ: 1 } })
    expect(await verify({ level: 'attributes' })).toMatchObject({ complete: false, statuses: { differ: 1 } })
    heal()
    expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
    expect(await row('b')).toMatchObject({ status: 'match', level: 'content' })
  })
})

test('a verification that goes on looks again at what was copied again meanwhile', async () => {
  const objects = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`k${1000 + at}`, `${at}`]))
  const { from, verify, run, row } = await migrated(objects)
  const ending = new AbortController()
  let looked = 0
  const half = verify({
    level: 'content',
    signal: ending.signal,
    onEvent: event => {
      if (event.kind === 'verified' && ++looked === 580) ending.abort()
    },
  })
  await expect(half).rejects.toMatchObject({ code: 'aborted' })
  expect(await row('k1000')).toMatchObject({ status: 'match', level: 'content' })
  await from.upload('k1000', 'another')
  await run()
  expect(await row('k1000')).toMatchObject({ status: 'match', level: 'checksum' })
  expect(await verify({ level: 'content' })).toMatchObject({ complete: true })
  expect(await row('k1000')).toMatchObject({ status: 'match', level: 'content' })
})

test('a source without etags tells by its time that it has changed', async () => {
  const inner = memory()
  let moved = 0
  const without = ({ etag: _, ...info }: ObjectInfo): ObjectInfo => ({
    ...info,
    lastModified: new Date(1_700_000_000_000 + moved),
  })
  const from = forward(inner, {
    async info(key, options) {
      return without(await inner.info(key, options))
    },
    async download(key, options) {
      const download = await inner.download(key, options)
      return download.through(source => source, undefined, without(download.info))
    },
    list(options) {
      const listing = inner.list(options)
      return {
        ...listing,
        async *pages() {
          for await (const page of listing.pages())
            yield page.map(entry =>
              entry.kind === 'object' ? { kind: 'object' as const, ...without(entry) } : entry,
            )
        },
      }
    },
  })
  const { verify, statuses } = await migrated({ a: 'one' }, { from })
  expect(await verify()).toMatchObject({ complete: true })
  await inner.upload('a', 'eno')
  moved = 60_000
  expect(await verify()).toMatchObject({ complete: false })
  expect(await statuses()).toEqual({ a: 'differ' })
})
