import { describe, expect, it } from 'vitest'
import { cacheSignedUrls, memoryCache, type SignedUrlCache } from '../../../src/cache/index.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { imageUrls } from '../../../src/images/image-urls/index.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { hasCode } from '../../support/has-code.ts'
import { type RecordedOptions, recorded } from '../../support/recorded.ts'
import { BLURHASH, builder, PHOTO, partsOf, stableUrls } from './url-parts.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('imageUrls with records', () => {
  it('asks the database once and the cache once, for 200 images', async () => {
    const { files, calls } = countedWorld()
    const feed = await upload(files, 200)
    const urls = imageUrls(files, builder(), stableUrls)
    await urls.many(feed)
    calls.length = 0
    const results = await urls.many(feed)
    expect(results.every(({ ok }) => ok)).toBe(true)
    expect(calls).toEqual(['query', 'getMany'])
  })

  it('signs as one batch what the cache does not have', async () => {
    const { files, calls } = countedWorld()
    const feed = await upload(files, 200)
    calls.length = 0
    await imageUrls(files, builder(), stableUrls).many(feed)
    expect(calls.filter(call => call === 'query')).toHaveLength(1)
    expect(calls.filter(call => call === 'signedUrls')).toHaveLength(1)
    expect(calls.filter(call => !/^(?:query|signedUrls|getMany|setMany)/.test(call))).toEqual([])
  })

  it('names the physical key in the source, and no version beside it', async () => {
    const { files } = recorded()
    await files.upload('a/photo.jpg', 'bytes', PHOTO)
    const physical = await files.physicalKey('a/photo.jpg')
    const set = await imageUrls(files, builder(), stableUrls).one('a/photo.jpg')
    expect(set).toMatchObject({ imageId: 'a/photo.jpg', blurhash: BLURHASH, width: 640, height: 480 })
    expect(partsOf(set.originUrl)).toEqual({
      source: `s3://photos/${physical}`,
      format: 'webp',
      options: [],
      expires: undefined,
      version: undefined,
    })
  })

  it('has other URLs after a replace and after a move, and the same while nothing changes', async () => {
    const { files, advance } = countedWorld()
    const urls = imageUrls(files, builder(), stableUrls)
    await files.upload('a.jpg', 'one', PHOTO)
    const first = await urls.one('a.jpg')
    advance(HOUR)
    expect(await urls.one('a.jpg')).toEqual(first)
    await files.upload('a.jpg', 'two', PHOTO)
    const second = await urls.one('a.jpg')
    expect(partsOf(second.thumbUrl).source).not.toBe(partsOf(first.thumbUrl).source)
    expect(second.url).not.toBe(first.url)
    await files.move('a.jpg', 'b.jpg')
    expect((await urls.one('b.jpg')).thumbUrl).not.toBe(second.thumbUrl)
    await expect(urls.one('a.jpg')).rejects.toSatisfy(hasCode('not-found'))
  })

  it('serves each tenant its own', async () => {
    const { files } = recorded()
    const other = files.tenant('other')
    await other.upload('a.jpg', 'bytes', PHOTO)
    const set = await imageUrls(other, builder(), stableUrls).one('a.jpg')
    expect(partsOf(set.thumbUrl).source).toMatch(/^s3:\/\/photos\/other\/a\.[0-9a-z]{26}\.jpg$/)
  })

  it('fails what is missing alone, in order', async () => {
    const { files } = recorded()
    await files.upload('a.jpg', 'bytes', PHOTO)
    await files.upload('notes.txt', 'text')
    const results = await imageUrls(files, builder(), stableUrls).many(['x.jpg', 'a.jpg', 'notes.txt'])
    expect(results.map(result => [result.key, result.ok || result.error.code])).toEqual([
      ['x.jpg', 'not-found'],
      ['a.jpg', true],
      ['notes.txt', 'invalid-argument'],
    ])
  })

  it('behind a wrapper that hides physical keys takes signed URLs only', async () => {
    const { files, now } = recorded()
    await files.upload('a.jpg', 'bytes', PHOTO)
    const wrapped = forward(files)
    for (const source of ['s3://photos/', () => 's3://photos/a.jpg'] as const)
      expect(() => imageUrls(wrapped, builder(), { source })).toThrow(
        'give imageUrls what withRecords returned',
      )
    const images = builder({ allowSignedSource: true, now })
    const { thumbUrl, url } = await imageUrls(wrapped, images, { now }).one('a.jpg')
    expect(partsOf(thumbUrl).source).toBe(url)
  })
})

describe('the end of an image URL', () => {
  it('is that of the signed URL it is made of, and stays while the cached one does', async () => {
    const { files, advance, now } = cachedWorld({ expiresIn: 30 * 24 * 3600, marginSeconds: 3600 })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const urls = imageUrls(files, builder({ allowSignedSource: true, now }), { now })
    const first = await urls.one('a.jpg')
    const ends = Math.floor((now() + 30 * DAY) / 1000)
    for (const url of [first.originUrl, first.thumbUrl, first.blurUrl])
      expect(partsOf(url)).toMatchObject({ source: first.url, expires: ends })
    advance(HOUR)
    expect(await urls.one('a.jpg')).toEqual(first)
    advance(29 * DAY + 22 * HOUR)
    expect(await urls.one('a.jpg')).toEqual(first)
    advance(HOUR)
    const next = await urls.one('a.jpg')
    expect(next.url).not.toBe(first.url)
    expect(partsOf(next.thumbUrl)).toMatchObject({ source: next.url, expires: ends + 30 * 24 * 3600 })
  })

  it('is the builder’s own where that comes before the signed URL’s', async () => {
    const { files, now, advance } = cachedWorld({ expiresIn: 30 * 24 * 3600 })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const images = builder({ allowSignedSource: true, ttlSeconds: 24 * 3600, now })
    const urls = imageUrls(files, images, { now })
    const { expires } = partsOf((await urls.one('a.jpg')).thumbUrl)
    expect(expires! * 1000 - now()).toBeGreaterThanOrEqual(DAY)
    expect(expires! * 1000 - now()).toBeLessThanOrEqual(2 * DAY)
    expect(expires).toBe(partsOf(images.url((await urls.one('a.jpg')).url)).expires)
    // In the last of its days the builder's ends behind it, whatever its window is.
    advance(29.5 * DAY)
    const late = await urls.one('a.jpg')
    expect(partsOf(late.thumbUrl).expires).toBe(Number(new URL(late.url).searchParams.get('expires')))
  })

  it('is the builder’s own where imgproxy reads the bucket, the same for a whole window', async () => {
    const { files, now, advance } = cachedWorld({})
    advance(HOUR)
    await files.upload('a.jpg', 'bytes', PHOTO)
    const urls = imageUrls(files, builder({ ttlSeconds: 24 * 3600, now }), { ...stableUrls, now })
    const first = await urls.one('a.jpg')
    // A window begins at a second of each source's own, and a physical key is another one in each run.
    const windowEnds = Number(partsOf(first.thumbUrl).expires) * 1000 - DAY
    advance(windowEnds - now() - 1000)
    expect((await urls.one('a.jpg')).thumbUrl).toBe(first.thumbUrl)
    advance(2000)
    expect((await urls.one('a.jpg')).thumbUrl).not.toBe(first.thumbUrl)
  })

  it('is none where imgproxy reads the bucket and the builder has none', async () => {
    const { files } = cachedWorld({})
    await files.upload('a.jpg', 'bytes', PHOTO)
    const set = await imageUrls(files, builder(), stableUrls).one('a.jpg')
    expect(partsOf(set.thumbUrl).expires).toBeUndefined()
  })

  it('is that of the signed URL also where a function chose it', async () => {
    const { files, now } = cachedWorld({ expiresIn: 3600, marginSeconds: 60 })
    await files.upload('a.jpg', 'bytes', PHOTO)
    const urls = imageUrls(files, builder({ allowSignedSource: true, now }), {
      source: image => image.signedUrl.url,
      now,
    })
    const { url, thumbUrl } = await urls.one('a.jpg')
    expect(partsOf(thumbUrl)).toMatchObject({ source: url, expires: Math.floor(now() / 1000) + 3600 })
  })

  it('needs a builder that may show signed URLs, and says so when the set is made', () => {
    const { files } = recorded()
    expect(() => imageUrls(files, builder())).toThrow('allowSignedSource: true')
  })
})

describe('what is known of lifetimes', () => {
  it('comes from the provider and the builder', () => {
    const { files } = cachedWorld({ expiresIn: 1000, marginSeconds: 60 })
    expect(imageUrls(files, builder({ ttlSeconds: 500 }), stableUrls).ttls).toEqual({
      source: 'stable',
      expiresIn: 1000,
      cached: true,
      imageSeconds: 500,
    })
    expect(imageUrls(recorded().files, builder({ allowSignedSource: true })).ttls).toEqual({
      source: 'signed-url',
      expiresIn: 7 * 24 * 3600,
      cached: false,
    })
  })
})

/** Records over a cache over memory, all by one clock. */
function cachedWorld(
  { cache, ...lifetimes }: { cache?: SignedUrlCache; expiresIn?: number; marginSeconds?: number },
  options: RecordedOptions = {},
) {
  const clock = { now: () => 0 }
  const now = () => clock.now()
  const world = recorded({
    ...options,
    through: store => {
      const below = options.through?.(store) ?? store
      return cacheSignedUrls(below, {
        cache: cache ?? memoryCache({ now }),
        now,
        monotonic: now,
        ...lifetimes,
      })
    },
  })
  clock.now = world.now
  return world
}

/** The same, with every call to store, cache and database told. */
function countedWorld() {
  const calls: string[] = []
  const kept = memoryCache()
  const world = cachedWorld(
    {
      cache: {
        getMany(keys) {
          calls.push('getMany')
          return kept.getMany(keys)
        },
        setMany(entries) {
          calls.push('setMany')
          return kept.setMany(entries)
        },
        deleteMany: keys => kept.deleteMany(keys),
      },
    },
    {
      through: store =>
        forward(store, {
          signedUrls(keys, options) {
            calls.push('signedUrls')
            return store.signedUrls(keys, options)
          },
          signedUrl: () => Promise.reject(new Error('one at a time')),
          info: () => Promise.reject(new Error('asked the store')),
          infoMany: () => Promise.reject(new Error('asked the store')),
          download: () => Promise.reject(new Error('a download')),
        }),
      throughEngine: engine =>
        forwardEngine(engine, {
          query(statement, options) {
            calls.push('query')
            return engine.query(statement, options)
          },
          batch(statements, options) {
            calls.push('batch')
            return engine.batch(statements, options)
          },
        }),
    },
  )
  return { ...world, calls }
}

async function upload(files: { upload(key: string, body: string, options: object): unknown }, count: number) {
  const feed = Array.from({ length: count }, (_, at) => `feed/${at}.jpg`)
  for (const key of feed) await files.upload(key, key, PHOTO)
  return feed
}
