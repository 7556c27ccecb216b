import { describe, expect, it } from 'vitest'
import { StorageError } from '../../../src/core/errors.ts'
import { checkImageTtls, type ImageTtls } from '../../../src/images/image-urls/index.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** Lifetimes that fit: what every case below changes. */
const FIT: ImageTtls = {
  source: 'stable',
  expiresIn: 30 * DAY,
  cached: true,
  marginSeconds: HOUR,
  imageSeconds: 30 * DAY,
  imgproxySeconds: 365 * DAY,
  originalSeconds: HOUR,
  cdnSeconds: DAY,
  pageSeconds: 60,
}

describe('checkImageTtls', () => {
  it('is silent where all is well', () => {
    expect(checkImageTtls(FIT)).toEqual([])
    expect(checkImageTtls({ ...FIT, source: 'signed-url' })).toEqual([])
    const { source, expiresIn, cached, imageSeconds } = FIT
    expect(checkImageTtls({ source, expiresIn, cached, imageSeconds })).toEqual([])
  })

  it.each<[rule: string, change: Partial<ImageTtls>, words: string[]]>([
    ['beyond-provider', { maxExpiresIn: 7 * DAY }, ['30 days', '7 days']],
    ['url-changes-at-each-call', { cached: false }, ['cacheSignedUrls']],
    ['margin-beyond-lifetime', { marginSeconds: 30 * DAY }, ['30 days', 'marginSeconds']],
    ['page-outlives-url', { pageSeconds: HOUR + 1 }, ['60 minutes', 'marginSeconds']],
    [
      'page-outlives-image',
      { pageSeconds: 600, imageSeconds: 599, cdnSeconds: 60 },
      ['10 minutes', 'ttlSeconds'],
    ],
    ['cdn-outlives-url', { cdnSeconds: 29 * DAY, expiresIn: 28 * DAY }, ['29 days', '28 days']],
    ['cdn-outlives-url', { originalSeconds: 31 * DAY }, ['31 days']],
    ['cdn-outlives-image', { cdnSeconds: 2 * DAY, imageSeconds: DAY }, ['2 days', '24 hours']],
    ['image-never-ends', { imageSeconds: undefined }, ['365 days', 'ttlSeconds']],
    ['image-is-made-again', { imgproxySeconds: DAY }, ['24 hours', 'IMGPROXY_TTL']],
  ])('tells %s of %j, with figures and what to do', (rule, change, words) => {
    const warnings = checkImageTtls({ ...FIT, ...change })
    expect(warnings.map(warning => warning.rule)).toEqual([rule])
    for (const word of words) expect(warnings[0]!.message).toContain(word)
  })

  it('takes what the server, the cache and the CDN do by themselves for what is not given', () => {
    const { source, expiresIn, cached } = FIT
    expect(
      checkImageTtls({ source, expiresIn, cached, pageSeconds: HOUR + 1 }).map(({ rule }) => rule),
    ).toEqual(['page-outlives-url', 'image-never-ends'])
    // imgproxy keeps images for a year, unless their URLs end before.
    expect(checkImageTtls({ source, expiresIn, cached })[0]!.message).toContain('365 days')
  })

  it('counts images of signed URLs as ending with these', () => {
    const signed = { ...FIT, source: 'signed-url', imageSeconds: undefined } as const
    expect(checkImageTtls(signed)).toEqual([])
    expect(checkImageTtls({ ...signed, cdnSeconds: 31 * DAY }).map(({ rule }) => rule)).toEqual([
      'cdn-outlives-url',
      'cdn-outlives-image',
    ])
  })

  it('says that everything changes at each call where signed sources are not cached', () => {
    const [warning] = checkImageTtls({ ...FIT, source: 'signed-url', cached: false })
    expect(warning).toMatchObject({ rule: 'url-changes-at-each-call' })
    expect(warning!.message).toContain('and so do the images')
  })

  it.each([
    [{ ...FIT, source: 's3' }, "source must be 'signed-url' or 'stable'"],
    [{ ...FIT, cdnSecond: 1 }, "unknown option 'cdnSecond'"],
    [{ ...FIT, cdnSeconds: -1 }, 'cdnSeconds must be a number of seconds'],
    [{ ...FIT, cdnSeconds: Number.NaN }, 'cdnSeconds must be a number of seconds'],
    [{ ...FIT, cdnSeconds: '1 day' }, 'cdnSeconds must be a number'],
    [{ source: 'stable' }, 'expiresIn and cached must be given'],
    [undefined, 'options must be an object'],
  ])('refuses %j', (ttls, reason) => {
    const check = () => checkImageTtls(ttls as never)
    expect(check).toThrow(reason)
    expect(check).toThrow(StorageError)
  })
})
