import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { ObjectInfo, StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrated } from './migrated.ts'

const OBJECTS = { 'a.txt': 'one', 'b.txt': 'two', 'c.txt': 'three' }
const LEVELS = ['attributes', 'checksum', 'content'] as const

/** A store that tells of an object something else than it has. */
function telling(lie: { of?: (info: ObjectInfo) => Partial<ObjectInfo> }): StorageProvider {
  const inner = memory()
  return forward(inner, {
    async info(key, options) {
      const info = await inner.info(key, options)
      return { ...info, ...lie.of?.(info) }
    },
  })
}

/** A store like one over the network that keeps bytes and no checksums. */
function withoutChecksums(checksums: readonly 'sha256'[], inner = memory()): StorageProvider {
  return forward(inner, {
    get capabilities() {
      return { ...inner.capabilities, checksums, checksumAlways: false }
    },
    async info(key, options) {
      const { checksum: _, ...info } = await inner.info(key, options)
      return info
    },
  })
}

test.each(LEVELS)('level %s finds nothing where nothing is wrong', async level => {
  const { verify, statuses } = await migrated(OBJECTS)
  const summary = await verify({ level })
  expect(summary).toMatchObject({
    level,
    complete: true,
    objects: 3,
    bytes: 11,
    checked: 3,
    strays: { source: 0, destination: 0 },
    statuses: { match: 3, differ: 0, unverified: 0 },
  })
  expect(await statuses()).toEqual({ 'a.txt': 'match', 'b.txt': 'match', 'c.txt': 'match' })
})

test.each(LEVELS)('level %s tells what is on one side only, and what was replaced', async level => {
  const { from, to, verify, statuses } = await migrated(OBJECTS)
  await from.delete('a.txt')
  await to.delete('b.txt')
  await to.upload('c.txt', 'THREE')
  await to.upload('d.txt', 'four')
  await from.upload('e.txt', 'five')
  expect(await verify({ level })).toMatchObject({
    complete: false,
    statuses: { match: 0, differ: 1, 'missing-source': 2, 'missing-destination': 2 },
    strays: { source: 1, destination: 1 },
  })
  expect(await statuses()).toEqual({
    'a.txt': 'missing-source',
    'b.txt': 'missing-destination',
    'c.txt': 'differ',
    'd.txt': 'missing-source',
    'e.txt': 'missing-destination',
  })
})

test('what the source has changed since is told, and matches again when it was copied again', async () => {
  const { from, verify, statuses, row, run } = await migrated(OBJECTS)
  await from.upload('b.txt', 'TWO')
  await verify({ level: 'attributes' })
  expect(await statuses()).toMatchObject({ 'a.txt': 'match', 'b.txt': 'differ' })
  expect((await row('b.txt')).errorMessage).toBe('the source has changed since it was copied')
  await run()
  expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
  expect((await row('b.txt')).errorMessage).toBeUndefined()
})

test.each([
  ['a type', { contentType: 'text/html' }, 'contentType: "text/plain" was sent, "text/html" is there'],
  ['a header', { cacheControl: 'no-store' }, 'cacheControl: "max-age=60" was sent, "no-store" is there'],
  ['no header', { cacheControl: undefined }, 'cacheControl: "max-age=60" was sent, nothing is there'],
  ['metadata', { metadata: { a: '2' } }, 'metadata "a": "1" was sent, "2" is there'],
  ['metadata that nobody sent', { metadata: { a: '1', b: '2' } }, 'metadata "b" is there and was not sent'],
] as const)('level attributes tells %s that is not what was sent', async (_, told, problem) => {
  const lie: { of?: (info: ObjectInfo) => Partial<ObjectInfo> } = {}
  const { verify, row } = await migrated(OBJECTS, {
    to: telling(lie),
    attributes: info => ({ ...info, cacheControl: 'max-age=60', metadata: { a: '1' } }),
  })
  expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
  lie.of = () => told
  const summary = await verify({ level: 'attributes' })
  expect(summary.complete).toBe(false)
  expect((await row('a.txt')).errorMessage).toBe(problem)
})

test('what was not sent may be anything: stores have defaults of their own', async () => {
  const lie: { of?: (info: ObjectInfo) => Partial<ObjectInfo> } = {}
  const { verify } = await migrated(OBJECTS, { to: telling(lie) })
  lie.of = () => ({ storageClass: 'GLACIER', cacheControl: 'no-cache', contentLanguage: 'en' })
  expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
})

test('level checksum tells a checksum that is not the one taken while copying', async () => {
  const lie: { of?: (info: ObjectInfo) => Partial<ObjectInfo> } = {}
  const { verify, statuses, row } = await migrated(OBJECTS, { to: telling(lie) })
  lie.of = ({ key }) => (key === 'b.txt' ? { checksum: { algorithm: 'sha256', value: '0'.repeat(64) } } : {})
  expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
  expect(await verify({ level: 'checksum' })).toMatchObject({ complete: false })
  expect(await statuses()).toEqual({ 'a.txt': 'match', 'b.txt': 'differ', 'c.txt': 'match' })
  expect((await row('b.txt')).errorMessage).toMatch(/sha256 is not the one taken while copying/)
})

test('level checksum believes a store that refuses other bytes than were sent, by its etag', async () => {
  const { verify } = await migrated(OBJECTS, { to: withoutChecksums(['sha256']) })
  expect(await verify({ level: 'checksum' })).toMatchObject({ complete: true, statuses: { match: 3 } })
})

test('what a store can’t prove is unverified at level checksum, and proved by reading', async () => {
  const { verify, row } = await migrated(OBJECTS, { to: withoutChecksums([]) })
  expect(await verify({ level: 'checksum' })).toMatchObject({
    complete: false,
    statuses: { match: 0, unverified: 3 },
  })
  expect((await row('a.txt')).errorMessage).toMatch(/verify with level content/)
  expect(await verify({ level: 'content' })).toMatchObject({ complete: true })
})

test('an output of a transform is held against its own checksum, at every level', async () => {
  const to = withoutChecksums([])
  const { verify, statuses } = await migrated(OBJECTS, {
    to,
    async *transform(body) {
      for await (const chunk of body) yield Buffer.from(chunk).reverse()
    },
  })
  expect(await verify({ level: 'content' })).toMatchObject({ complete: true, statuses: { match: 3 } })
  expect(await verify({ level: 'checksum' })).toMatchObject({ statuses: { unverified: 3 } })
  expect(await (await to.download('a.txt')).text()).toBe('eno')
  await to.upload('b.txt', 'two')
  await verify({ level: 'content' })
  expect(await statuses()).toMatchObject({ 'a.txt': 'match', 'b.txt': 'differ' })
})

test('a higher level that is known is not lost by a look at a lower one', async () => {
  const { verify, row } = await migrated(OBJECTS)
  await verify({ level: 'content' })
  await verify({ level: 'attributes' })
  expect(await row('a.txt')).toMatchObject({ status: 'match', level: 'content' })
})
