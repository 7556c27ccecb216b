import { describe, expect, test } from 'vitest'
import { forward } from '../../../src/decorators/forward.ts'
import { attributesText, sentAttributes } from '../../../src/migrate/copy/attributes-text.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { migrated, ofKind, twoSides } from './two-sides.ts'

test('attributes of equal value have one text, whatever their order and the case of their names', () => {
  const one = attributesText({ metadata: { B: '2', a: '1' }, contentType: 'text/plain' })
  expect(attributesText({ contentType: 'text/plain', metadata: { a: '1', b: '2' } })).toBe(one)
  expect(one).toBe('{"contentType":"text/plain","metadata":{"a":"1","b":"2"}}')
  expect(attributesText({ metadata: {} })).toBe('{}')
})

describe('attributes', () => {
  test('arrive as they were', async () => {
    const sides = await twoSides({})
    const attributes = {
      contentType: 'image/x-odd',
      cacheControl: 'max-age=60',
      contentDisposition: 'attachment',
      contentEncoding: 'gzip',
      contentLanguage: 'de',
      metadata: { one: '1', other: 'Ä' },
    }
    await sides.from.upload('a.txt', 'a', attributes)
    expect((await migrated(sides)).result.complete).toBe(true)
    expect(await sides.to.info('a.txt')).toMatchObject(attributes)
  })

  test('are rewritten, all of them, by a function', async () => {
    const sides = await twoSides({})
    await sides.from.upload('a.txt', 'a', { cacheControl: 'no-store', metadata: { one: '1' } })
    const { result } = await migrated({
      ...sides,
      attributes: ({ contentType, metadata }) => ({
        contentType: `${contentType}; charset=utf-8`,
        metadata: { ...metadata, two: '2' },
      }),
    })
    expect(result.complete).toBe(true)
    const info = await sides.to.info('a.txt')
    expect(info).toMatchObject({
      contentType: 'text/plain; charset=utf-8',
      metadata: { one: '1', two: '2' },
    })
    expect(info.cacheControl).toBeUndefined()
  })

  test('that the destination can not keep are named once each, and stand in the manifest', async () => {
    const { to, ...others } = await twoSides({})
    for (const key of ['a', 'b', 'c']) await others.from.upload(key, key, { contentLanguage: 'de' })
    const poor = forward(to, {
      get capabilities() {
        return { ...to.capabilities, contentLanguage: false }
      },
    })
    const { events } = await migrated({ ...others, to: poor, limits: { concurrency: 1 } })
    expect(ofKind(events, 'lost')).toEqual([{ kind: 'lost', attribute: 'contentLanguage', key: 'a' }])
    const manifest = await migrate({ ...others, to: poor }).manifest()
    expect(await manifest.setting('lost-attributes')).toBe('{"contentLanguage":"a"}')
    expect((await manifest.row('a'))?.attributes).toBe('{"contentType":"text/plain"}')
  })

  test('take the storage class that is chosen, and never that of the source', () => {
    const info = { key: 'a', size: 1, storageClass: 'GLACIER' }
    const { capabilities } = { capabilities: { storageClass: true } as never }
    expect(sentAttributes(info, {}, capabilities).attributes).toEqual({})
    expect(sentAttributes(info, { storageClass: 'STANDARD_IA' }, capabilities).attributes).toEqual({
      storageClass: 'STANDARD_IA',
    })
    expect(
      sentAttributes(info, { storageClass: ({ size }) => (size > 5 ? 'X' : undefined) }, capabilities)
        .attributes,
    ).toEqual({})
  })
})
