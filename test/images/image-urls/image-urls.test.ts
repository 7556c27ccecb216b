import { describe, expect, expectTypeOf, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { StorageError } from '../../../src/core/errors.ts'
import { keys } from '../../../src/core/key-layout.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { prefix } from '../../../src/decorators/prefix.ts'
import { imageUrls } from '../../../src/images/image-urls/index.ts'
import { imgproxy, imgproxyAsync } from '../../../src/images/imgproxy/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { signing } from '../../support/recorded.ts'
import { BLURHASH, builder, PHOTO, partsOf, stableUrls } from './url-parts.ts'

const NOON = Date.UTC(2026, 5, 1, 12)

describe('imageUrls without records', () => {
  it('gives the original and the variants, with blurhash and size from the metadata', async () => {
    const files = memory({ signing, now: () => NOON })
    await files.upload('a/photo.jpg', 'bytes', PHOTO)
    const set = await imageUrls(files, builder(), { source: 's3://photos/' }).one('a/photo.jpg')
    expect(Object.keys(set)).toEqual([
      ...['imageId', 'url', 'originUrl', 'thumbUrl', 'blurUrl', 'blurhash', 'width', 'height'],
    ])
    expect(set).toMatchObject({ imageId: 'a/photo.jpg', blurhash: BLURHASH, width: 640, height: 480 })
    const week = { expiresIn: 7 * 24 * 60 * 60 }
    expect(set.url).toBe((await files.signedUrl('a/photo.jpg', week)).url)
    const source = 's3://photos/a/photo.jpg'
    const cacheBuster = partsOf(set.originUrl).version
    expect(cacheBuster).toMatch(/^[\w-]{12}$/)
    expect(partsOf(set.originUrl)).toMatchObject({ options: [], source, format: 'webp' })
    expect(partsOf(set.thumbUrl)).toMatchObject({ options: ['rs:fit:400:0'], source, format: 'webp' })
    expect(partsOf(set.blurUrl)).toMatchObject({ options: ['rs:fit:20:0', 'bl:5'], source, format: 'webp' })
    for (const url of [set.originUrl, set.thumbUrl, set.blurUrl]) {
      expect(url).toMatch(/@webp$/)
      expect(builder().verify(url)).toBe(true)
      expect(partsOf(url)).toMatchObject({ version: cacheBuster, expires: undefined })
    }
  })

  it('downloads nothing, and asks once for each image and once for all URLs', async () => {
    const files = memory({ signing })
    const keysOfFeed = Array.from({ length: 200 }, (_, at) => `${at}.jpg`)
    for (const key of keysOfFeed) await files.upload(key, key, PHOTO)
    const calls: string[] = []
    const results = await imageUrls(counted(files, calls), builder(), stableUrls).many(keysOfFeed)
    expect(results.map(result => result.ok && result.value.imageId)).toEqual(keysOfFeed)
    expect(calls.sort()).toEqual(['infoMany', 'signedUrls'])
  })

  it('takes keys from a list, which is read once', async () => {
    const files = memory({ signing })
    for (const key of ['a.jpg', 'b.jpg']) await files.upload(key, key, PHOTO)
    const results = await imageUrls(files, builder(), stableUrls).many(files.list())
    expect(results.map(result => result.ok && result.value.imageId)).toEqual(['a.jpg', 'b.jpg'])
  })

  it('has other URLs after a replace, and the same while nothing changes', async () => {
    const files = memory({ signing, now: () => NOON })
    const urls = imageUrls(files, builder(), stableUrls)
    await files.upload('a.jpg', 'one', PHOTO)
    const before = await urls.one('a.jpg')
    expect(await urls.one('a.jpg')).toEqual(before)
    await files.upload('a.jpg', 'two', PHOTO)
    const after = await urls.one('a.jpg')
    for (const name of ['originUrl', 'thumbUrl', 'blurUrl'] as const)
      expect(after[name]).not.toBe(before[name])
  })

  it('makes a version of any etag, and of time and size where there is none', async () => {
    const versions = new Set<string | undefined>()
    for (const info of [
      { etag: 'a:b/c"d' },
      { etag: 'x'.repeat(500) },
      { lastModified: new Date(1) },
      { lastModified: new Date(2) },
      { lastModified: new Date(2), size: 2 },
    ]) {
      const files = withInfo({ key: 'a.jpg', size: 1, ...info })
      const { thumbUrl } = await imageUrls(files, builder(), stableUrls).one('a.jpg')
      expect(partsOf(thumbUrl).version).toMatch(/^[\w-]{12}$/)
      versions.add(partsOf(thumbUrl).version)
    }
    expect(versions.size).toBe(5)
  })

  it.each([
    [undefined, '', null, null],
    [{}, '', null, null],
    [{ blurhash: 'garbage!', width: 'abc', height: '-1' }, '', null, null],
    [{ blurhash: `${BLURHASH}x`, width: '1.5', height: '0' }, '', null, null],
    [{ blurhash: '', width: '', height: '12' }, '', null, 12],
  ])('reads the metadata %j as what is known of it', async (metadata, blurhash, width, height) => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', { ...(metadata === undefined ? {} : { metadata }) })
    expect(await imageUrls(files, builder(), stableUrls).one('a.jpg')).toMatchObject({
      blurhash,
      width,
      height,
    })
  })

  it('fails what is missing and what is no image alone, in order', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    await files.upload('notes.txt', 'text')
    await files.upload('unknown', Uint8Array.of(1, 2, 3), { contentType: 'application/octet-stream' })
    const urls = imageUrls(files, builder(), stableUrls)
    const results = await urls.many(['missing.jpg', 'a.jpg', 'notes.txt', 'a/../b', 'unknown'])
    expect(results.map(result => [result.key, result.ok ? 'ok' : result.error.code])).toEqual([
      ['missing.jpg', 'not-found'],
      ['a.jpg', 'ok'],
      ['notes.txt', 'invalid-argument'],
      ['a/../b', 'invalid-key'],
      ['unknown', 'ok'],
    ])
    await expect(urls.one('missing.jpg')).rejects.toSatisfy(hasCode('not-found'))
    await expect(urls.one('notes.txt')).rejects.toThrow('this is no image but text/plain')
    await expect(urls.one('notes.txt')).rejects.toMatchObject({ operation: 'imageUrls', key: 'notes.txt' })
  })

  it('fails the image whose URL could not be signed', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const refusing = forward(files, {
      signedUrls: async () => [
        { key: 'a.jpg', ok: false, error: new StorageError('permission-denied', 'not yours') },
      ],
    })
    await expect(imageUrls(refusing, builder(), stableUrls).one('a.jpg')).rejects.toSatisfy(
      hasCode('permission-denied'),
    )
  })

  it('passes a signal on', async () => {
    const files = memory({ signing })
    const signal = AbortSignal.abort()
    await expect(imageUrls(files, builder(), stableUrls).many(['a.jpg'], { signal })).rejects.toSatisfy(
      hasCode('aborted'),
    )
  })

  it('refuses what are no keys', async () => {
    const urls = imageUrls(memory({ signing }), builder(), stableUrls)
    await expect(urls.many(7 as never)).rejects.toSatisfy(hasCode('invalid-argument'))
  })
})

describe('the lifetime of the original', () => {
  it.each([
    [{ expiresIn: 60 }, undefined, 60],
    [{}, undefined, 7 * 24 * 60 * 60],
    [{}, { maxExpiresIn: 3600 }, 3600],
    [{}, { defaultExpiresIn: 100 }, undefined],
    [{ expiresIn: 60 }, { defaultExpiresIn: 100 }, 60],
  ])('with options %j and capabilities %j asks for %s seconds', async (options, able, asked) => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    let seen: number | undefined
    const { signedUrl } = files.capabilities
    const watched = forward(files, {
      capabilities: { ...files.capabilities, signedUrl: { ...(signedUrl as object), ...able } as never },
      signedUrls(all, { expiresIn } = {}) {
        seen = expiresIn
        return files.signedUrls(all, { expiresIn: 1 })
      },
    })
    await imageUrls(watched, builder(), { ...stableUrls, ...options }).one('a.jpg')
    expect(seen).toBe(asked)
  })
})

describe('the id of an image', () => {
  it('is what a function of the image says', async () => {
    const layout = keys({ image: '{userId}/{threadId}/{kind:insert|gen}_{id:uuid}' })
    const id = '0b9f9a3e-6a53-4f0c-9d5e-3c2f1a7b8d90'
    const key = layout.image.build({ userId: 'u1', threadId: 't1', kind: 'gen', id })
    const files = memory({ signing })
    await files.upload(key, 'bytes', { contentType: 'image/png' })
    const urls = imageUrls(files, builder(), {
      ...stableUrls,
      imageId: image => layout.image.parse(image.key)?.id ?? image.key,
    })
    expect((await urls.one(key)).imageId).toBe(id)
  })

  it('fails its image alone where the function throws', async () => {
    const files = memory({ signing })
    for (const key of ['a.jpg', 'b.jpg']) await files.upload(key, 'bytes', PHOTO)
    const urls = imageUrls(files, builder(), {
      ...stableUrls,
      imageId({ key }) {
        if (key === 'a.jpg') throw new Error('no id in this key')
        return key
      },
    })
    const [first, second] = await urls.many(['a.jpg', 'b.jpg'])
    expect(first).toMatchObject({ ok: false, key: 'a.jpg' })
    expect(!first!.ok && first!.error).toSatisfy(hasCode('invalid-argument'))
    expect(!first!.ok && first!.error.message).toContain('no id in this key')
    expect(second!.ok).toBe(true)
  })

  it.each([undefined, 7, { id: 'a' }])('fails its image where it is no text: %j', async id => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const urls = imageUrls(files, builder(), { ...stableUrls, imageId: () => id as never })
    const [only] = await urls.many(['a.jpg'])
    expect(!only!.ok && only!.error).toSatisfy(hasCode('invalid-argument'))
    expect(!only!.ok && only!.error.message).toContain('imageId must return a string')
  })

  it.each([Symbol('odd'), Object.create(null), null])(
    'fails its image alone, whatever the function throws: %#',
    async thrown => {
      const files = memory({ signing })
      await files.upload('a.jpg', 'bytes', PHOTO)
      const imageId = () => {
        throw thrown
      }
      const [only] = await imageUrls(files, builder(), { ...stableUrls, imageId }).many(['a.jpg'])
      expect(!only!.ok && only!.error).toSatisfy(hasCode('invalid-argument'))
    },
  )
})

describe('the variants', () => {
  it('can be replaced, added and taken away, in the types, too', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const images = builder()
    const urls = imageUrls(files, images, {
      ...stableUrls,
      variants: {
        thumb: { resize: 'fit', width: 640, height: 0, quality: 60 },
        card: { resize: 'fill', width: 320, height: 240, format: 'avif' },
        icon: images.preset({ width: 48, height: 48 }),
        blur: false,
      },
    })
    const set = await urls.one('a.jpg')
    expectTypeOf(set).branded.toEqualTypeOf<{
      imageId: string
      url: string
      originUrl: string
      thumbUrl: string
      cardUrl: string
      iconUrl: string
      blurhash: string
      width: number | null
      height: number | null
    }>()
    expect(Object.keys(set)).toEqual([
      ...['imageId', 'url', 'originUrl', 'thumbUrl', 'cardUrl', 'iconUrl', 'blurhash', 'width', 'height'],
    ])
    expect(partsOf(set.thumbUrl).options).toEqual(['rs:fit:640:0', 'q:60'])
    expect(partsOf(set.cardUrl)).toMatchObject({ options: ['rs:fill:320:240'], format: 'avif' })
    expect(partsOf(set.iconUrl).options).toEqual(['rs:fit:48:48'])
    // @ts-expect-error blur was taken away
    expect(set.blurUrl).toBeUndefined()
  })

  it('are the three of the default in the types, too', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const set = await imageUrls(files, builder(), stableUrls).one('a.jpg')
    expectTypeOf(set).branded.toEqualTypeOf<{
      imageId: string
      url: string
      originUrl: string
      thumbUrl: string
      blurUrl: string
      blurhash: string
      width: number | null
      height: number | null
    }>()
    expect(set.blurUrl).toContain('bl:5')
  })

  it('are kept for images that come again, and are those that a new set makes', async () => {
    const files = memory({ signing, now: () => NOON })
    const feed = Array.from({ length: 5_100 }, (_, at) => `${at}.jpg`)
    for (const key of feed) await files.upload(key, key, PHOTO)
    let prepared = 0
    let made = 0
    const images = builder()
    const counting = {
      ...images,
      preset(image?: object) {
        const url = images.preset(image)
        prepared++
        return (...call: Parameters<typeof url>) => {
          made++
          return url(...call)
        }
      },
    }
    const urls = imageUrls(files, counting, stableUrls)
    const [first] = await urls.many(feed)
    const again = await urls.many(feed.slice(-10))
    expect([prepared, made]).toEqual([3, 3 * feed.length])
    expect(again).toEqual(await imageUrls(files, builder(), stableUrls).many(feed.slice(-10)))
    expect(await urls.one('0.jpg')).toEqual(first?.ok && first.value)
  })

  it('fail an image whose URL is only promised, as those of imgproxyAsync', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const twin = imgproxyAsync({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' })
    for (const urls of [
      imageUrls(files, twin as never, stableUrls),
      imageUrls(files, builder(), { ...stableUrls, variants: { card: twin.preset({ width: 9 }) as never } }),
    ]) {
      const [only] = await urls.many(['a.jpg'])
      expect(!only!.ok && only!.error).toSatisfy(hasCode('invalid-argument'))
      expect(!only!.ok && only!.error.message).toMatch(/Url is no text.*imgproxyAsync/)
    }
  })

  it('that are functions are asked each time', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    let asked = 0
    const urls = imageUrls(files, builder(), { ...stableUrls, variants: { odd: () => `url ${++asked}` } })
    expect((await urls.one('a.jpg')).oddUrl).toBe('url 1')
    expect((await urls.one('a.jpg')).oddUrl).toBe('url 2')
  })

  it.each([
    [{ card: { resize: 'fil' } }, 'resize'],
    [{ card: { width: -1 } }, 'width'],
    [{ card: 'pr:card' }, 'the variant card must be options'],
    [{ card: null }, 'the variant card must be options'],
    [{ card: { width: 4, expires: 1 } }, "can't have expires"],
    [{ card: { width: 4, cacheBuster: 'a' } }, "can't have cacheBuster"],
    [{ 'a b': {} }, "'a b' can't be the name"],
  ])('are refused when the set is made: %j', (variants, reason) => {
    const make = () =>
      imageUrls(memory({ signing }), builder(), { ...stableUrls, variants: variants as never })
    expect(make).toThrow(reason)
    expect(make).toThrow(StorageError)
  })
})

describe('the source', () => {
  it.each([
    ['s3://photos/', 'ä b.jpg', 's3://photos/ä b.jpg'],
    ['local:///', 'a/b.jpg', 'local:///a/b.jpg'],
    ['local:///below/', 'a.jpg', 'local:///below/a.jpg'],
    ['https://files.example.org/', 'ä b#?.jpg', 'https://files.example.org/%C3%A4%20b%23%3F.jpg'],
  ] as const)('%s and the key %s is %s', async (source, key, expected) => {
    const files = memory({ signing })
    await files.upload(key, 'bytes', PHOTO)
    const set = await imageUrls(files, builder(), { source }).one(key)
    expect(partsOf(set.thumbUrl).source).toBe(expected)
  })

  it('can be a function of the image', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const source = ({ info, physicalKey }: { info: { size: number }; physicalKey: string }) =>
      `s3://photos-${info.size}/${physicalKey}`
    const set = await imageUrls(files, builder(), { source }).one('a.jpg')
    expect(partsOf(set.thumbUrl).source).toBe('s3://photos-5/a.jpg')
  })

  it('that imgproxy would not take fails its image alone', async () => {
    const files = memory({ signing })
    for (const key of ['a?.jpg', 'b.jpg']) await files.upload(key, 'bytes', PHOTO)
    const results = await imageUrls(files, builder(), stableUrls).many(['a?.jpg', 'b.jpg'])
    expect(results.map(result => result.ok || result.error.code)).toEqual(['invalid-argument', true])
  })

  it.each(['s3://photos', 'photos', 'ftp://host/', 's3://photos/?a=/', '', 7])('%j is refused', source => {
    expect(() => imageUrls(memory({ signing }), builder(), { source: source as never })).toThrow(StorageError)
  })

  it('names the root of a prefixed provider, or is refused', async () => {
    const bucket = memory({ signing })
    const files = prefix(bucket, 'tenant')
    await files.upload('a.jpg', 'bytes', PHOTO)
    expect(() => imageUrls(files, builder(), { source: 's3://photos/' })).toThrow('s3://photos/root/')
    const set = await imageUrls(files, builder(), { source: 's3://photos/tenant/' }).one('a.jpg')
    expect(partsOf(set.thumbUrl).source).toBe('s3://photos/tenant/a.jpg')
  })
})

describe('imageUrls of what it is given', () => {
  it.each([
    [() => imageUrls({} as never, builder()), 'must be a provider'],
    [() => imageUrls(memory({ signing }), {} as never), 'must be what imgproxy() returns'],
    [() => imageUrls(memory({ signing }), builder(), { sorce: 'x' } as never), "unknown option 'sorce'"],
    [
      () => imageUrls(memory({ signing }), builder(), { imageId: 'x' } as never),
      'imageId must be a function',
    ],
    [() => imageUrls(memory(), builder(), stableUrls), 'signs no URLs'],
  ])('refuses what it can never do: %s', (make, reason) => {
    expect(make).toThrow(reason)
    expect(make).toThrow(StorageError)
  })

  it('takes a builder for imgproxy Pro, with its options', async () => {
    const files = memory({ signing })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const pro = imgproxy({ url: 'https://img.example.org', key: 'aa', salt: 'bb', edition: 'pro' })
    const set = await imageUrls(files, pro, {
      ...stableUrls,
      variants: { loud: { width: 4, saturation: 2 } },
    }).one('a.jpg')
    expect(set.loudUrl).toContain('sa:2')
  })
})

function counted(inner: StorageProvider, calls: string[]): StorageProvider {
  return forward(inner, {
    infoMany(all, options) {
      calls.push('infoMany')
      return inner.infoMany(all, options)
    },
    signedUrls(all, options) {
      calls.push('signedUrls')
      return inner.signedUrls(all, options)
    },
    info: () => Promise.reject(new Error('one at a time')),
    signedUrl: () => Promise.reject(new Error('one at a time')),
    download: () => Promise.reject(new Error('a download')),
  })
}

/** A store that tells this of its one object. */
function withInfo(info: { key: string; size: number; etag?: string; lastModified?: Date }): StorageProvider {
  return forward(memory({ signing }), { infoMany: async () => [{ key: info.key, ok: true, value: info }] })
}
