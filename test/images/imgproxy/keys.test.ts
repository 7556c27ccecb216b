import nodeCrypto, { createHmac } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import {
  type ImgproxyOptions,
  imgproxy,
  imgproxyAsync,
  imgproxyEnv,
  imgproxyFromEnv,
} from '../../../src/images/imgproxy/index.ts'
import { refused } from '../../support/refused.ts'

const URL_OF_IT = 'https://img.example.org'
const SOURCE = 's3://photos/a.jpg'
const OLD = { key: '736563726574', salt: '68656c6c6f' }
const NEW = { key: '943b421c9eb07c830af81030552c86009268de4e', salt: '520F986B998545B4785E0DEFBC4F3C12' }
const both = { key: `${OLD.key},${NEW.key}`, salt: `${OLD.salt}, ${NEW.salt}` }

describe('keys', () => {
  const bad: [given: object, reason: RegExp][] = [
    [{ key: 'zz' }, /key must be hexadecimal/],
    [{ key: 'abc' }, /key has an odd number/],
    [{ key: '' }, /key is empty/],
    [{ key: [] }, /key must be hexadecimal text/],
    [{ key: 'aa,' }, /key 2 is empty/],
    [{ salt: 'aa,bz' }, /salt 2 must be hexadecimal/],
    [{ salt: [7] }, /salt must be hexadecimal text/],
    [{ key: 'aa,bb' }, /there are 2 keys and 1 salts/],
    [{ key: undefined }, /key must be hexadecimal text/],
  ]
  test.each(bad)('%j is refused at construction, by both twins', (given, reason) => {
    const options = { url: URL_OF_IT, ...OLD, ...given } as ImgproxyOptions
    expect(() => imgproxy(options)).toThrow(refused(reason))
    expect(() => imgproxyAsync(options)).toThrow(refused(reason))
  })

  test('no message holds a key', () => {
    expect(() => imgproxy({ url: URL_OF_IT, key: '5ec5ec5ez', salt: 'aa' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('5ec') }),
    )
  })
})

describe('the signature is HMAC-SHA256', () => {
  const reference = (key: string, salt: string, path: string) =>
    createHmac('sha256', Buffer.from(key, 'hex'))
      .update(Buffer.from(salt, 'hex'))
      .update(path)
      .digest('base64url')

  const keys = [1, 20, 63, 64, 65, 200].map(length => 'a7'.repeat(length))
  test.each(keys)('of any key and salt: %s', key => {
    for (const salt of ['00', 'ff80', key]) {
      const images = imgproxy({ url: URL_OF_IT, key, salt })
      // Longer and shorter in turn: no path is signed with the rest of another.
      for (const length of [1, 5_000, 10, 900, 20_000, 1]) {
        const url = images.url(`s3://photos/${'k'.repeat(length)}`)
        const [, signature, path] = /^https:\/\/img\.example\.org\/([\w-]+)(\/.*)$/.exec(url)!
        expect(signature).toBe(reference(key, salt, path!))
      }
    }
  })

  test('also where node:crypto lacks its newer functions', () => {
    const older = vi
      .spyOn(process, 'getBuiltinModule')
      .mockReturnValue({ ...nodeCrypto, hash: undefined } as never)
    const images = imgproxy({ url: URL_OF_IT, ...OLD, signatureSize: 8 })
    older.mockRestore()
    expect(images.url(SOURCE)).toBe(imgproxy({ url: URL_OF_IT, ...OLD, signatureSize: 8 }).url(SOURCE))
  })
})

describe('while keys are rotated', () => {
  const images = imgproxy({ url: URL_OF_IT, ...both })

  test('the last pair signs', () => {
    expect(images.url(SOURCE)).toBe(imgproxy({ url: URL_OF_IT, ...NEW }).url(SOURCE))
    const arrays = { key: [OLD.key, NEW.key], salt: [OLD.salt, NEW.salt] }
    expect(imgproxy({ url: URL_OF_IT, ...arrays }).url(SOURCE)).toBe(images.url(SOURCE))
  })

  test('each pair verifies, and no mixture of two', () => {
    for (const pair of [OLD, NEW])
      expect(images.verify(imgproxy({ url: URL_OF_IT, ...pair }).url(SOURCE))).toBe(true)
    const mixed = imgproxy({ url: URL_OF_IT, key: OLD.key, salt: NEW.salt })
    expect(images.verify(mixed.url(SOURCE))).toBe(false)
  })
})

describe('verify', () => {
  const images = imgproxy({ url: `${URL_OF_IT}/img`, ...OLD })
  const url = images.url(SOURCE, { width: 400 })

  test('takes the URL, its path without the prefix, and either with a query', () => {
    const path = url.slice(`${URL_OF_IT}/img`.length)
    expect([url, path, `${url}?utm=1`, `${path}#x`].map(images.verify)).toEqual([true, true, true, true])
  })

  test('refuses what was changed, cut, or is not one of ours', () => {
    const others = [
      url.replace('400', '401'),
      url.slice(0, -1),
      url.replace('/img/', '/img/A'),
      url.replace(URL_OF_IT, 'https://elsewhere.org'),
      url.replace(/img\/[\w-]+/, 'img/unsafe'),
      '',
      '/',
      'x',
    ]
    expect(others.filter(images.verify)).toEqual([])
  })

  test('refuses what is no text', async () => {
    const others = [undefined, null, 7, {}, new URL(url)] as unknown as string[]
    expect(others.filter(images.verify)).toEqual([])
    expect(await imgproxyAsync({ url: URL_OF_IT, ...OLD }).verify(others[0]!)).toBe(false)
  })
})

describe('cut signatures', () => {
  test('are as long as told, by both twins', async () => {
    for (const [signatureSize, characters] of [
      [1, 2],
      [8, 11],
      [31, 42],
      [32, 43],
    ] as const) {
      const options = { url: URL_OF_IT, ...OLD, signatureSize }
      const url = imgproxy(options).url(SOURCE)
      expect(url.split('/')[3]).toHaveLength(characters)
      expect(await imgproxyAsync(options).url(SOURCE)).toBe(url)
      expect(imgproxy(options).verify(url)).toBe(true)
    }
  })

  test.each([0, 33, 1.5, -1])('a size of %d is refused', signatureSize => {
    expect(() => imgproxy({ url: URL_OF_IT, ...OLD, signatureSize })).toThrow(refused(/from 1 to 32/))
  })
})

describe('the endpoint', () => {
  test.each([
    ['https://img.example.org/', 'https://img.example.org/'],
    ['https://example.org/img', 'https://example.org/img/'],
    ['https://example.org/a/img//', 'https://example.org/a/img/'],
    ['HTTP://Example.org:8080', 'http://example.org:8080/'],
  ])('%s is where URLs begin', (url, start) => {
    const images = imgproxy({ url, ...OLD })
    const signed = /\/([\w-]{43}\/plain\/.*)$/.exec(imgproxy({ url: URL_OF_IT, ...OLD }).url(SOURCE))![1]
    expect(images.url(SOURCE)).toBe(start + signed)
    expect(images.verify(images.url(SOURCE))).toBe(true)
  })

  test.each([
    '',
    'img.example.org',
    'ftp://img.example.org',
    'https://a:b@example.org',
    'https://a.org/?x',
    'https://a.org/#x',
  ])('%j is refused', url => {
    expect(() => imgproxy({ url, ...OLD })).toThrow(refused(/url must/))
  })
})

test('an option of the builder that is misspelt or of another kind is refused', () => {
  const options = { url: URL_OF_IT, ...OLD }
  // @ts-expect-error no such option
  expect(() => imgproxy({ ...options, signatureLength: 8 })).toThrow(
    refused(/unknown option 'signatureLength'/),
  )
  // @ts-expect-error a string
  expect(() => imgproxy({ ...options, ttlSeconds: '60' })).toThrow(refused(/ttlSeconds must be a number/))
  // @ts-expect-error no such edition
  expect(() => imgproxy({ ...options, edition: 'oss' })).toThrow(refused(/edition must be/))
  expect(() => imgproxy({ ...options, ttlSeconds: 0 })).toThrow(refused(/ttlSeconds must be a whole number/))
  expect(() => imgproxy({ ...options, base64SplitSize: -1 })).toThrow(refused(/base64SplitSize/))
})

describe('the end of a URL', () => {
  const NOON = Date.UTC(2030, 0, 1, 12) / 1000
  let now = NOON * 1000
  const options = { url: URL_OF_IT, ...OLD, now: () => now }
  const endOf = (url: string) => Number(/\/exp:(\d+)\//.exec(url)?.[1])

  test('is at least ttlSeconds ahead and the same within a window', () => {
    const thumbnail = imgproxy({ ...options, ttlSeconds: 3600 }).preset({ width: 400 })
    now = NOON * 1000
    const url = thumbnail(SOURCE)
    const end = endOf(url)
    expect(end).toBeGreaterThanOrEqual(NOON + 3600)
    expect(end).toBeLessThan(NOON + 7200)
    now = (end - 3600) * 1000
    expect(thumbnail(SOURCE)).toBe(url)
    now += 1
    const next = thumbnail(SOURCE)
    expect(endOf(next)).toBe(end + 3600)
    now = end * 1000
    expect(thumbnail(SOURCE)).toBe(next)
  })

  test('moves in smaller steps where the window is smaller', () => {
    const images = imgproxy({ ...options, ttlSeconds: 3600, ttlWindowSeconds: 60 })
    now = (NOON + 1) * 1000
    const end = endOf(images.url(SOURCE))
    expect(end).toBeGreaterThanOrEqual(NOON + 3601)
    expect(end).toBeLessThan(NOON + 3661)
    now = (end - 3600) * 1000 + 1
    expect(endOf(images.url(SOURCE))).toBe(end + 60)
    expect(images).toMatchObject({ ttlSeconds: 3600, ttlWindowSeconds: 60 })
  })

  test('does not move for all images in the same second', () => {
    now = NOON * 1000
    const images = imgproxy({ ...options, ttlSeconds: 3600 })
    const counts = new Map<number, number>()
    for (let at = 0; at < 3600; at++) {
      const end = endOf(images.url(`s3://photos/u1/${at}.jpg`))
      counts.set(end, (counts.get(end) ?? 0) + 1)
    }
    // What 3,600 balls in as many boxes come to: 63 % of these are hit, and the fullest has seven or eight.
    expect(counts.size).toBeGreaterThan(2100)
    expect(Math.max(...counts.values())).toBeLessThan(12)
  })

  test('is the same for all variants of an image, in every process, and for the asynchronous twin', async () => {
    now = NOON * 1000
    const images = imgproxy({ ...options, ttlSeconds: 86_400 })
    const twin = imgproxyAsync({ ...options, ttlSeconds: 86_400 })
    const source = 's3://photos/写真.jpg'
    const urls = [images.url(source), images.preset({ width: 9 })(source), await twin.url(source, { dpr: 2 })]
    // Recorded: where it changes, every URL that a CDN has does.
    expect(urls.map(endOf)).toEqual([1_893_654_316, 1_893_654_316, 1_893_654_316])
  })

  test('is what the image says where it says one, and none with 0', () => {
    now = NOON * 1000
    const images = imgproxy({ ...options, ttlSeconds: 3600 })
    expect(endOf(images.url(SOURCE, { expires: NOON + 5 }))).toBe(NOON + 5)
    expect(images.url(SOURCE, { expires: 0 })).not.toContain('/exp:')
    expect(images.preset()(SOURCE, { expires: 0 })).not.toContain('/exp:')
  })

  test('is never made of a clock that gives no time', () => {
    const images = imgproxy({ ...options, ttlSeconds: 60, now: () => Number.NaN })
    expect(() => images.url(SOURCE)).toThrow(refused(/now must return milliseconds/))
  })

  test('is refused in the past, also where it passed since the preset was made', () => {
    now = NOON * 1000
    const images = imgproxy(options)
    const preset = images.preset({ expires: NOON + 5 })
    expect(endOf(preset(SOURCE))).toBe(NOON + 5)
    now = (NOON + 6) * 1000
    expect(() => preset(SOURCE)).toThrow(refused(/expires is in the past/))
    expect(() => images.url(SOURCE, { expires: NOON })).toThrow(refused(/in the past/))
    expect(() => images.url(SOURCE, { expires: new Date(Number.NaN) })).toThrow(refused(/valid Date/))
    expect(() => images.url(SOURCE, { expires: NOON + 10.5 })).toThrow(refused(/whole seconds/))
    expect(() => images.url(SOURCE, { expires: -1 })).toThrow(refused(/whole seconds/))
  })
})

describe('from the environment', () => {
  const env = { IMGPROXY_URL: URL_OF_IT, IMGPROXY_KEY: both.key, IMGPROXY_SALT: both.salt }

  test('reads the server, its keys and its ttl', () => {
    expect(imgproxyFromEnv(env).url(SOURCE)).toBe(imgproxy({ url: URL_OF_IT, ...both }).url(SOURCE))
    expect(imgproxyFromEnv({ ...env, IMGPROXY_TTL: '3600' }).ttlSeconds).toBe(3600)
    expect(imgproxyFromEnv({ ...env, IMGPROXY_TTL: '' }).ttlSeconds).toBeUndefined()
  })

  test('takes the other options beside it', () => {
    expect(imgproxyFromEnv(env, { format: 'avif', ttlSeconds: 60 }).url(SOURCE)).toMatch(/exp:\d+.*@avif$/)
    expect(imgproxyFromEnv(env, { edition: 'pro' }).url(SOURCE, { dpi: 72 })).toContain('/dpi:72/')
  })

  test('serves the asynchronous twin', async () => {
    expect(await imgproxyAsync(imgproxyEnv(env)).url(SOURCE)).toBe(imgproxyFromEnv(env).url(SOURCE))
  })

  test('names everything that is missing or wrong at once, without a value', () => {
    expect(() => imgproxyFromEnv({})).toThrow(
      refused(/IMGPROXY_URL is missing; IMGPROXY_KEY is missing; IMGPROXY_SALT is missing/),
    )
    const wrong = { IMGPROXY_URL: 'img', IMGPROXY_KEY: '5ec5e', IMGPROXY_SALT: '5ec5ez', IMGPROXY_TTL: '1h' }
    let message = ''
    try {
      imgproxyFromEnv(wrong)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toMatch(/IMGPROXY_URL must be a URL/)
    expect(message).toMatch(/IMGPROXY_KEY has an odd number/)
    expect(message).toMatch(/IMGPROXY_SALT must be hexadecimal/)
    expect(message).toMatch(/IMGPROXY_TTL must be a whole number/)
    expect(message).not.toContain('5ec')
    expect(() => imgproxyFromEnv({ ...env, IMGPROXY_SALT: 'aa' })).toThrow(refused(/same length/))
  })
})
