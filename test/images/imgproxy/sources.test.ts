import { describe, expect, test } from 'vitest'
import { type ImgproxyOptions, imgproxy } from '../../../src/images/imgproxy/index.ts'
import { refused } from '../../support/refused.ts'

const BUILDER = { url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' }
const plain = imgproxy(BUILDER)
const base64 = imgproxy({ ...BUILDER, sourceEncoding: 'base64' })
const split = imgproxy({ ...BUILDER, sourceEncoding: 'base64', base64SplitSize: 7 })

/** What the server makes of the end of a path, as its source has it. */
function readBack(url: string): { source: string; extension: string } {
  const parts = new URL(url).pathname.slice(1).split('/').slice(1)
  while (parts[0]!.includes(':')) parts.shift()
  if (parts[0] === 'plain') {
    const [encoded, extension = '', ...more] = parts.slice(1).join('/').split('@')
    expect(more).toEqual([])
    return { source: decodeURIComponent(encoded!), extension }
  }
  const [encoded, extension = '', ...more] = parts.join('').split('.')
  expect(more).toEqual([])
  return { source: Buffer.from(encoded!, 'base64url').toString(), extension }
}

/** Characters that mean something to one of those between us and the object. */
const ODD = [
  '%',
  '%2F',
  '#',
  '@',
  '+',
  '&',
  '=',
  ';',
  ',',
  ':',
  '/',
  ' ',
  '"',
  "'",
  '(',
  ')',
  '!',
  '*',
  '~',
  '<',
  '>',
]
const LETTERS = [
  'a',
  'Z',
  '7',
  '.',
  '-',
  '_',
  'é',
  'é',
  '写',
  '😀',
  '\u00a0',
  '|',
  '^',
  '`',
  '{',
  '}',
  '[',
  ']',
  '\\',
  '$',
]

function randomKey(seed: number): string {
  let state = seed
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const alphabet = [...ODD, ...LETTERS]
  return `k${Array.from({ length: 1 + next(30) }, () => alphabet[next(alphabet.length)]).join('')}`
}

describe('what was put in is what the server reads', () => {
  test.each(Array.from({ length: 300 }, (_, seed) => randomKey(seed * 7919 + 1)))('of the key %j', key => {
    const local = `local:///${key
      .split('/')
      .filter(segment => !/^\.{0,2}$/.test(segment))
      .join('/')}`
    const sources = [
      `s3://photos/${key}`,
      local,
      `https://example.org/${encodeURIComponent(key)}?v=${encodeURIComponent(key)}`,
    ]
    for (const source of sources) {
      for (const images of [plain, base64, split]) {
        const url = images.url(source, { width: 400, cacheBuster: 'v1' })
        expect(readBack(url)).toEqual({ source, extension: 'webp' })
        // Nothing in it that a proxy, a parser or an attribute of HTML would read in another way.
        expect(url).toMatch(/^https:\/\/img\.example\.org\/[\w\-./~:@%!'()*=]+$/)
        expect(new URL(url).href).toBe(url)
        expect(images.verify(url)).toBe(true)
      }
    }
  })
})

describe('takes', () => {
  test.each([
    'https://example.org/a.jpg',
    'https://example.org:8443/a.jpg?v=1#part',
    'http://[::1]:9000/a.jpg',
    'http://127.0.0.1/',
    'https://user:pass@example.org/a.jpg',
    new URL('https://example.org/写真 100%25|^`{}[].jpg?q="é"').href,
    'https://example.org/a.jpg?signatures=1&mytoken=2&sig=3',
    's3://photos/a.jpg',
    's3://photos/写真/a b#c@2x 100%.jpg',
    's3://photos/a//b',
    's3://photos/../a.jpg',
    'gs://photos/a.jpg',
    'abs://container/a.jpg',
    'swift://container/a.jpg',
    'local:///a/b.jpg',
    'local:///a/..b/c..jpg',
  ])('%s', source => {
    expect(readBack(plain.url(source)).source).toBe(source)
    expect(readBack(base64.url(source)).source).toBe(source)
  })
})

describe('refuses', () => {
  const sources: [source: unknown, reason: RegExp][] = [
    ['', /source is empty/],
    [undefined, /source must be a string/],
    [{}, /source must be a string/],
    [new URL('https://example.org/a.jpg'), /source must be a string/],
    [['s3://photos/a.jpg'], /source must be a string/],
    ['photo.jpg', /source must be an http or https URL/],
    ['ftp://example.org/a.jpg', /source must be an http or https URL/],
    ['data:image/png;base64,AAAA', /source must be an http or https URL/],
    ['https://example.org/a b.jpg', /valid, percent-encoded URL/],
    ['https://example.org/写.jpg', /valid, percent-encoded URL/],
    ['https://example.org/100%.jpg', /valid, percent-encoded URL/],
    ['https://', /valid, percent-encoded URL/],
    ['https:///a.jpg', /valid, percent-encoded URL/],
    ['http:a.jpg', /valid, percent-encoded URL/],
    ['https://exa<mple.org/', /valid, percent-encoded URL/],
    ['s3://photos', /source must be an http or https URL/],
    ['s3://photos/', /must name a key/],
    ['s3:///a.jpg', /must name a bucket/],
    ['s3://pho tos/a.jpg', /must name a bucket/],
    ['s3://photos//a.jpg', /cannot begin with a slash/],
    ['s3://photos/a\nb', /control characters/],
    ['s3://photos/\ud800', /lone surrogate/],
    ['s3://photos/what?.jpg', /IMGPROXY_SOURCE_URL_QUERY_SEPARATOR/],
    ['local:///what?.jpg', /sourceQuerySeparator: ''/],
    ['local://a.jpg', /must begin with local:\/\/\//],
    ['local:///../secret', /cannot have '\.' or '\.\.'/],
    ['local:////a.jpg', /cannot begin with a slash/],
  ]
  test.each(sources)('%j', (source, reason) => {
    for (const images of [plain, base64, split])
      expect(() => images.url(source as string)).toThrow(refused(reason))
    expect(() => plain.preset({})(source as string)).toThrow(refused(reason))
  })
})

describe('a source that is signed', () => {
  test.each([
    'https://b.s3.amazonaws.com/a.jpg?X-Amz-Date=1&X-Amz-Signature=5ec',
    'https://b.s3.amazonaws.com/a.jpg?x-amz-signature=5ec',
    'https://storage.googleapis.com/b/a.jpg?X-Goog-Signature=5ec',
    'https://x.supabase.co/storage/v1/object/sign/b/a.jpg?token=eyJhbGciOi',
    'https://x.cloudfront.net/a.jpg?Expires=1&Signature=5ec&Key-Pair-Id=K',
    'https://x.blob.core.windows.net/c/a.jpg?sv=1&se=2&sig=5ec',
    'https://x.blob.core.windows.net/c/a.jpg?sig=5ec&se=2',
    'https://files.example.org/a.jpg?method=GET&expires=1&signature=5ec',
    'https://b.oss-cn-hangzhou.aliyuncs.com/a.jpg?x-oss-expires=1&x-oss-signature=5ec',
    'https://b.cos.ap-guangzhou.myqcloud.com/a.jpg?q-sign-time=1&q-signature=5ec',
    'https://b.s3.amazonaws.com/a.jpg?X%2DAmz%2DSignature=5ec',
  ])('is refused, and its secret is not repeated: %s', source => {
    for (const images of [plain, base64]) {
      let message = ''
      try {
        images.url(source)
      } catch (error) {
        message = String(error)
      }
      expect(message).toMatch(/the source is a signed URL.*allowSignedSource: true/)
      expect(message).not.toMatch(/5ec|eyJ/)
    }
    const told = imgproxy({ ...BUILDER, allowSignedSource: true })
    expect(readBack(told.url(source)).source).toBe(source)
  })
})

describe('a key with a question mark', () => {
  test('is taken where the server does not end keys there', () => {
    const images = imgproxy({ ...BUILDER, sourceQuerySeparator: '' })
    expect(readBack(images.url('s3://photos/what?.jpg')).source).toBe('s3://photos/what?.jpg')
  })

  test('another separator of the server is watched instead', () => {
    const images = imgproxy({ ...BUILDER, sourceQuerySeparator: '--' })
    expect(readBack(images.url('s3://photos/what?.jpg')).source).toBe('s3://photos/what?.jpg')
    expect(() => images.url('s3://photos/a--b.jpg')).toThrow(refused(/ends a key at '--'/))
    const letter = imgproxy({ ...BUILDER, sourceQuerySeparator: '~' })
    expect(() => letter.url('s3://photos/a~b.jpg')).toThrow(refused(/ends a key at '~'/))
  })
})

describe('relative sources', () => {
  const images = imgproxy({ ...BUILDER, sourceBaseUrl: 'https://files.example.org/' })

  test('are taken where the server has a base for them', () => {
    expect(readBack(images.url('photo.jpg')).source).toBe('photo.jpg')
    expect(readBack(images.url('https://files.example.org/a.jpg')).source).toBe(
      'https://files.example.org/a.jpg',
    )
  })

  test('are checked as what the server makes of them', () => {
    expect(() => images.url('a b.jpg')).toThrow(refused(/valid, percent-encoded URL/))
    expect(() => images.url('a.jpg?token=1')).toThrow(refused(/signed URL/))
    expect(() => images.url('https://elsewhere.org/a.jpg')).toThrow(refused(/must be relative or begin/))
  })
})

describe('encrypted sources', () => {
  const ENCRYPTION_KEY = '1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1'
  const pro: ImgproxyOptions<'pro'> = {
    ...BUILDER,
    edition: 'pro',
    sourceEncoding: 'encrypted',
    encryption: { key: ENCRYPTION_KEY },
  }

  test('are the same each time, differ from one another, and show nothing', () => {
    const images = imgproxy(pro)
    const one = images.url('s3://photos/one.jpg')
    expect(images.url('s3://photos/one.jpg')).toBe(one)
    expect(one).toMatch(/\/enc\/[\w-]+\.webp$/)
    const start = (url: string) => /\/enc\/([\w-]{21})/.exec(url)![1]
    expect(start(images.url('s3://photos/two.jpg'))).not.toBe(start(one))
  })

  test('may be signed URLs, which nobody sees', () => {
    expect(imgproxy(pro).url('https://example.org/a.jpg?token=1')).not.toContain('token')
  })

  test('are split like base64', () => {
    expect(imgproxy({ ...pro, base64SplitSize: 10 }).url('s3://photos/one.jpg')).toMatch(
      /\/enc\/(?:[\w-]{10}\/)+[\w-]{1,10}\.webp$/,
    )
  })

  test('need a key of 16, 24 or 32 bytes and an initialization vector of 16', () => {
    expect(() => imgproxy({ ...pro, encryption: undefined })).toThrow(refused(/belong together/))
    expect(() => imgproxy({ ...pro, sourceEncoding: 'plain' })).toThrow(refused(/belong together/))
    expect(() => imgproxy({ ...pro, encryption: { key: 'aabb' } })).toThrow(refused(/16, 24 or 32 bytes/))
    const short = imgproxy({ ...pro, encryption: { key: ENCRYPTION_KEY, iv: () => new Uint8Array(8) } })
    expect(() => short.url('s3://photos/one.jpg')).toThrow(refused(/must return 16 bytes/))
  })
})
