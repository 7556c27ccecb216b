import { describe, expect, test } from 'vitest'
import { type ImageOptions, imgproxy } from '../../../src/images/imgproxy/index.ts'
import { refused } from '../../support/refused.ts'

const images = imgproxy({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' })
const SOURCE = 's3://photos/a.jpg'
const path = (wish: ImageOptions) =>
  images.url(SOURCE, wish).replace(/^https:\/\/img\.example\.org\/[\w-]+/, '')

/** Every option of the open-source server at once. */
const EVERYTHING: ImageOptions = {
  preset: ['sharp', 'small'],
  resize: 'fill',
  width: 400,
  height: 300,
  minWidth: 10,
  minHeight: 20,
  zoom: { width: 2, height: 3 },
  dpr: 1.5,
  enlarge: true,
  extend: { at: 'north', y: 5 },
  extendAspectRatio: { focusX: 0.1, focusY: 0.9 },
  gravity: 'smart',
  crop: { width: 0.5, height: 200, gravity: 'east' },
  trim: { threshold: 10, equalVertical: true },
  padding: { top: 1, left: 2 },
  autoRotate: false,
  rotate: 270,
  flip: 'vertical',
  background: '#ABC',
  blur: 0.1,
  sharpen: 1,
  pixelate: 8,
  watermark: { opacity: 0.5, scale: 0.2 },
  stripMetadata: true,
  keepCopyright: false,
  stripColorProfile: true,
  preserveHdr: true,
  enforceThumbnail: false,
  quality: 80,
  formatQuality: { webp: 70, avif: 50 },
  maxBytes: 10_000,
  formatOption: 'png',
  skipProcessing: ['svg', 'gif', 'svg'],
  raw: false,
  cacheBuster: 'v1',
  expires: 4_102_444_800,
  filename: '写真',
  attachment: true,
  format: 'avif',
}

const ITS_PATH = [
  ...['', 'pr:sharp:small', 'rs:fill:400:300', 'mw:10', 'mh:20', 'z:2:3', 'dpr:1.5', 'el:1', 'ex:1:no::5'],
  ...['exar:1:fp:0.1:0.9', 'g:sm', 'c:0.5:200:ea', 't:10:::1', 'pd:1:0:0:2', 'ar:0', 'rot:270', 'fl:0:1'],
  ...['bg:aabbcc', 'bl:0.1', 'sh:1', 'pix:8', 'wm:0.5::::0.2', 'sm:1', 'kcr:0', 'scp:1', 'ph:1', 'eth:0'],
  ...['q:80', 'fq:avif:50:webp:70', 'mb:10000', 'f:png', 'skp:gif:svg', 'raw:0', 'cb:v1', 'exp:4102444800'],
  ...['fn:5YaZ55yf:1', 'att:1', 'plain', 's3%3A%2F%2Fphotos%2Fa.jpg@avif'],
].join('/')

/** A repeatable shuffle: a failure names the seed that shows it again. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const left = [...items]
  const mixed: T[] = []
  let state = seed
  while (left.length > 0) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    mixed.push(left.splice(state % left.length, 1)[0]!)
  }
  return mixed
}

describe('the same wish gives the same URL', () => {
  test('in the order of the documents, with every option at once', () => {
    expect(path(EVERYTHING)).toBe(ITS_PATH)
  })

  test.each(Array.from({ length: 50 }, (_, seed) => seed + 1))(
    'whatever the order of properties: seed %i',
    seed => {
      const wish = Object.fromEntries(shuffled(Object.entries(EVERYTHING), seed))
      expect(path(wish)).toBe(ITS_PATH)
      expect(images.preset(wish)(SOURCE)).toBe(images.url(SOURCE, EVERYTHING))
    },
  )

  test.each<[ImageOptions, ImageOptions]>([
    [{ width: 400 }, { resize: 'fit', width: 400, height: 0 }],
    [{}, { resize: 'fit', width: 0, height: 0 }],
    [{}, { dpr: 1, zoom: 1, enlarge: false, extend: false, rotate: 0, flip: 'none', blur: 0, raw: false }],
    [{}, { zoom: { width: 1, height: 1 }, padding: { top: 0 }, gravity: 'center', quality: 0, expires: 0 }],
    [{ zoom: 2 }, { zoom: { width: 2, height: 2 } }],
    [{ padding: 3 }, { padding: { top: 3, right: 3, bottom: 3, left: 3 } }],
    [{ extend: true }, { extend: { at: 'center' } }],
    [{ gravity: 'north' }, { gravity: { at: 'north', x: 0, y: 0 } }],
    [{ background: '#ABC' }, { background: 'aabbcc' }],
    [{ format: 'webp' }, {}],
    [{ width: 400, blur: undefined }, { width: 400 }],
    [{ preset: 'a' }, { preset: ['a'] }],
    [{ expires: 4_102_444_800 }, { expires: new Date('2100-01-01') }],
  ])('%j is %j', (one, other) => {
    expect(path(one)).toBe(path(other))
  })

  test('beside a preset a value that changes nothing else is written, for the preset may say otherwise', () => {
    expect(path({ preset: 'big', enlarge: false, blur: 0 })).toContain('/pr:big/el:0/bl:0/')
  })

  test('beside a preset only what was given of the size is written', () => {
    expect(path({ preset: 'big', width: 400 })).toContain('/pr:big/w:400/plain/')
    expect(path({ preset: 'big', resize: 'fill', height: 1 })).toContain('/pr:big/rt:fill/h:1/plain/')
    expect(path({ preset: 'big', resize: 'fit', width: 0, height: 0 })).toContain('/pr:big/rs:fit:0:0/plain/')
  })
})

describe('refuses', () => {
  const wishes: [wish: object, reason: RegExp][] = [
    [{ width: '400' }, /width must be a whole number/],
    [{ height: Number.NaN }, /height must be a whole number/],
    [{ width: null }, /width must be a whole number/],
    [{ zoom: { width: 1 } }, /zoom.height is missing/],
    [{ zoom: { width: 1, height: 0 } }, /zoom.height must be a number above 0/],
    [{ dpr: Number.POSITIVE_INFINITY }, /dpr must be a number above 0/],
    [{ enlarge: 'yes' }, /enlarge must be true or false/],
    [{ extend: 'smart' }, /extend cannot be smart/],
    [{ gravity: 'no' }, /gravity must be one of center, north/],
    [{ gravity: { focusX: 1.1, focusY: 0 } }, /gravity.focusX must be a number from 0 to 1/],
    [{ gravity: { at: 'north', z: 1 } }, /gravity has no 'z'; known are at, x, y/],
    [{ crop: 200 }, /crop must be an object with width, height, gravity/],
    [{ crop: { width: -1, height: 1 } }, /crop.width must be a number of 0 or more/],
    [{ padding: { top: 0.5 } }, /padding.top must be a whole number/],
    [{ flip: '1:0' }, /flip must be one of none, horizontal/],
    [{ background: '#ff00' }, /background must be a color/],
    [{ watermark: { opacity: 1, position: 'smart' } }, /watermark.position must be one of/],
    [{ format: 'WEBP' }, /format must be in lower case: 'webp'/],
    [{ format: 'svg' }, /format cannot be svg/],
    [{ formatQuality: { webP: 1 } }, /formatQuality has no 'webP'/],
    [{ skipProcessing: 'jpg' }, /skipProcessing must be an array/],
    [{ filename: 'a\nb' }, /filename must be text without control characters/],
    [{ filename: '' }, /filename must be text/],
    [{ cacheBuster: 7 }, /cacheBuster must be text/],
    [{ cacheBuster: '\ud800' }, /cacheBuster must be text/],
    [{ preset: 'a:b' }, /preset must be of letters/],
    [{ widht: 400 }, /there is no option 'widht'/],
    [{ toString: 1 }, /there is no option 'toString'/],
    [[], /options must be an object/],
  ]
  test.each(wishes)('%j', (wish, reason) => {
    expect(() => images.url(SOURCE, wish as ImageOptions)).toThrow(refused(reason))
    expect(() => images.preset(wish as ImageOptions)).toThrow(refused(reason))
  })
})

test('a URL ends in webp unless the builder or the image says another', () => {
  expect(path({})).toMatch(/@webp$/)
  expect(path({ format: 'jpg' })).toMatch(/@jpg$/)
  expect(path({ format: 'source' })).toMatch(/a\.jpg$/)
})

describe('a builder for a server that takes only presets', () => {
  const only = imgproxy({
    url: 'https://img.example.org',
    key: '736563726574',
    salt: '68656c6c6f',
    onlyPresets: true,
    presets: ['thumb', 'sharp'],
  })

  test('writes names and nothing else', () => {
    expect(only.url(SOURCE, { preset: ['thumb', 'sharp'] })).toMatch(/\/thumb:sharp\/plain\/s3[^/]+@webp$/)
  })

  test('refuses every other option, also with a call', () => {
    const thumb = only.preset({ preset: 'thumb' })
    expect(() => only.url(SOURCE)).toThrow(refused(/needs at least one preset/))
    expect(() => only.url(SOURCE, { preset: [] })).toThrow(refused(/needs at least one preset/))
    expect(() => only.url(SOURCE, { preset: 'thumb', cacheBuster: 'v1' })).toThrow(
      refused(/^imgproxy: cacheBuster/),
    )
    expect(() => thumb(SOURCE, { expires: 0 })).toThrow(refused(/takes only presets/))
    expect(() => only.url(SOURCE, { preset: 'nope' })).toThrow(refused(/known are thumb, sharp/))
  })

  test('is refused together with a ttl, which such a server cannot be told', () => {
    const options = { url: 'https://img.example.org', key: 'aa', salt: 'bb', onlyPresets: true }
    expect(() => imgproxy({ ...options, ttlSeconds: 60 })).toThrow(refused(/ttlSeconds cannot be told/))
  })
})

describe('a prepared preset', () => {
  const thumbnail = images.preset({ width: 400, filename: 'cat' })

  test('takes a version and an end with each call', () => {
    expect(thumbnail(SOURCE, { cacheBuster: '"a b"', expires: 4_102_444_800 })).toBe(
      images.url(SOURCE, { width: 400, filename: 'cat', cacheBuster: '"a b"', expires: 4_102_444_800 }),
    )
    expect(thumbnail(SOURCE, {})).toBe(thumbnail(SOURCE))
    expect(thumbnail(SOURCE, { cacheBuster: 'v1' })).toContain('/rs:fit:400:0/cb:v1/fn:cat/plain/')
  })

  test('keeps its own where the call says nothing', () => {
    const dated = images.preset({ cacheBuster: 'v1', expires: 4_102_444_800 })
    expect(dated(SOURCE, { cacheBuster: 'v2' })).toContain('/cb:v2/exp:4102444800/')
    expect(dated(SOURCE, { expires: 0 })).toContain('/cb:v1/plain/')
  })

  test('refuses what does not belong to a call', () => {
    expect(() => thumbnail(SOURCE, { width: 1 } as object)).toThrow(refused(/'width' must be told when/))
    expect(() => thumbnail(SOURCE, { cacheBuster: 'a/b' })).toThrow(refused(/cacheBuster cannot hold/))
    expect(() => thumbnail(SOURCE, { expires: 4_102_444_800_000 })).toThrow(refused(/in seconds/))
  })
})
