/**
 * What a server answers to the builder's URLs: the same cases for a real imgproxy and for the development handler.
 * A server has the presets of `PRESETS` and, of the settings in `VARIANTS`, what it was started with.
 */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ImageOptions, type ImgproxyOptions, imgproxy } from '../../../src/images/imgproxy/index.ts'
import { readAnswer } from '../../server/dev-images/recorded-answers.ts'
import {
  fileOrigin,
  type SourceFiles,
  type SourceServer,
  sourceFiles,
} from '../../server/dev-images/recorded-sources.ts'

export const PRESETS = { thumb: 'rs:fill:100:100', placeholder: 'rs:fit:32:0/bl:5' }
/** Servers that differ from `usual` in one setting. */
export const VARIANTS = ['usual', 'short signatures', 'only presets'] as const
export type Variant = (typeof VARIANTS)[number]

export interface ServerUnderTest {
  readonly name: string
  /** Hexadecimal; several with commas where the server accepts several. */
  readonly key: string
  readonly salt: string
  /** Where a variant is; undefined where there is none. */
  url(variant: Variant): string | undefined
  /** @param origin where the cases' http sources are */
  ask(variant: Variant, url: string, origin: string): Promise<Response>
  /** Stores bytes where the server finds them, and says under which source; undefined where it has no such place. */
  store: Readonly<Record<'local' | 's3', ((key: string, bytes: Uint8Array) => Promise<string>) | undefined>>
  /** Why it can't do what a case asks for, by the case's title. */
  readonly cannot?: Readonly<Record<string, string>>
}

/** Names of files as users and programs make them. */
const NAMES = [
  'a b+c.jpg',
  'äöü ß.jpg',
  'literal %25 and %2F.jpg',
  'a@2x@3x.jpg',
  'a:b:c.jpg',
  'x=1;y=2,z.jpg',
  'plain/plain/x.jpg',
  'pipe|caret^tilde~.jpg',
  'back`tick.jpg',
  '{brace}[bracket].jpg',
  'dollar$&!*.jpg',
  '日本語/写真.jpg',
  'שלום.jpg',
  'e\u0301-combining.jpg',
  '👩‍👩‍👧 family.jpg',
  `${'long-'.repeat(40)}.jpg`,
  'no-extension',
  'UPPER.JPG',
  `quote'".jpg`,
  '100%',
  'rs:fit:10:10.webp',
]
/** Beyond those: what a path of a URL could not hold, but a key can. */
const KEYS = [...NAMES, 'hash#tag.jpg', '%E5%86%99.jpg']

interface OptionCase {
  readonly options: ImageOptions
  readonly gives: readonly [width: number, height: number]
  readonly type?: string
}

/** Of the photo, 1200 by 800. */
const OPTIONS: readonly OptionCase[] = [
  { options: { width: 333 }, gives: [333, 222] },
  { options: { height: 333 }, gives: [500, 333] },
  { options: { width: 7 }, gives: [7, 5] },
  { options: { width: 1 }, gives: [1, 1] },
  { options: { width: 500, height: 100 }, gives: [150, 100] },
  { options: { resize: 'fill', width: 500, height: 100 }, gives: [500, 100] },
  { options: { resize: 'fill', width: 2000, height: 1000 }, gives: [1200, 800] },
  { options: { resize: 'fill', width: 2000, height: 500 }, gives: [1200, 500] },
  { options: { resize: 'fill-down', width: 2000, height: 2000 }, gives: [800, 800] },
  { options: { resize: 'fill-down', width: 2400, height: 600 }, gives: [1200, 300] },
  { options: { resize: 'fill-down', width: 100, height: 300 }, gives: [100, 300] },
  { options: { resize: 'fill', width: 0, height: 300 }, gives: [450, 300] },
  { options: { resize: 'force', width: 2000, height: 300 }, gives: [1200, 180] },
  { options: { resize: 'force', width: 300, height: 0 }, gives: [300, 800] },
  { options: { resize: 'force', width: 300, height: 301 }, gives: [300, 301] },
  { options: { resize: 'auto', width: 300, height: 100 }, gives: [300, 100] },
  { options: { resize: 'auto', width: 100, height: 300 }, gives: [100, 67] },
  { options: { width: 2000, enlarge: true }, gives: [2000, 1333] },
  { options: { resize: 'fill', width: 1500, height: 1500, enlarge: true }, gives: [1500, 1500] },
  { options: { width: 700, dpr: 2 }, gives: [1200, 800] },
  { options: { width: 333, dpr: 1.5 }, gives: [500, 333] },
  { options: { width: 400, dpr: 0.5 }, gives: [200, 133] },
  { options: { width: 2400, height: 2400, dpr: 0.5 }, gives: [1200, 800] },
  { options: { width: 2400, height: 2400, dpr: 0.5, extend: true }, gives: [1200, 1200] },
  { options: { resize: 'fill', width: 700, height: 300, dpr: 2 }, gives: [1200, 514] },
  { options: { width: 400, zoom: 1.5 }, gives: [600, 400] },
  { options: { width: 100, minWidth: 300 }, gives: [100, 200] },
  { options: { width: 100, minHeight: 100 }, gives: [100, 100] },
  { options: { width: 300, height: 300, extend: true }, gives: [300, 300] },
  { options: { width: 2000, height: 2000, extend: 'north' }, gives: [2000, 2000] },
  { options: { width: 300, height: 300, extend: true, dpr: 2 }, gives: [600, 600] },
  { options: { crop: { width: 600, height: 600 } }, gives: [600, 600] },
  { options: { crop: { width: 0.25, height: 0 } }, gives: [300, 800] },
  { options: { crop: { width: 2000, height: 100, gravity: 'south' } }, gives: [1200, 100] },
  {
    options: { crop: { width: 600, height: 600, gravity: { focusX: 0.1, focusY: 0.9 } }, width: 50 },
    gives: [50, 50],
  },
  { options: { resize: 'fill', width: 90, height: 30, gravity: 'smart' }, gives: [90, 30] },
  {
    options: { resize: 'fill', width: 90, height: 30, gravity: { at: 'south-east', x: 10, y: 0.1 } },
    gives: [90, 30],
  },
  { options: { width: 20, blur: 5 }, gives: [20, 13] },
  { options: { width: 20, blur: 0.2 }, gives: [20, 13] },
  { options: { width: 64, format: 'jpg', quality: 1 }, gives: [64, 43], type: 'image/jpeg' },
  { options: { width: 64, format: 'avif' }, gives: [64, 43], type: 'image/avif' },
  { options: { width: 20, format: 'avif' }, gives: [20, 13], type: 'image/jpeg' },
  { options: { width: 64, format: 'gif' }, gives: [64, 43], type: 'image/gif' },
  { options: { width: 64, format: 'tiff' }, gives: [64, 43], type: 'image/tiff' },
  { options: { width: 64, format: 'source' }, gives: [64, 43], type: 'image/jpeg' },
  { options: { width: 64, format: 'source', formatOption: 'png' }, gives: [64, 43], type: 'image/png' },
  { options: { width: 64, background: '#f00' }, gives: [64, 43] },
  { options: { raw: true }, gives: [1200, 800], type: 'image/jpeg' },
  { options: { preset: 'thumb' }, gives: [100, 100] },
  { options: { preset: ['thumb', 'placeholder'] }, gives: [32, 21] },
  { options: { preset: 'thumb', width: 50 }, gives: [50, 100] },
  { options: { rotate: 90, width: 100 }, gives: [100, 150] },
  { options: { padding: { top: 5, left: 10 }, width: 100 }, gives: [110, 72] },
  { options: { extendAspectRatio: true, width: 3000, height: 3000 }, gives: [1200, 1200] },
]

/** Other files than the photo. */
const SOURCES: readonly [file: string, options: ImageOptions, size: readonly number[], type: string][] = [
  ['exif6.jpg', {}, [800, 1200], 'image/webp'],
  ['exif8.jpg', { width: 100, height: 100 }, [67, 100], 'image/webp'],
  ['exif6.jpg', { crop: { width: 400, height: 100 } }, [400, 100], 'image/webp'],
  ['exif6.jpg', { autoRotate: false, width: 120 }, [120, 80], 'image/webp'],
  ['anim.webp', { width: 50, format: 'source' }, [50, 30, 5], 'image/gif'],
  ['anim.gif', { resize: 'fill', width: 40, height: 40 }, [40, 40, 5], 'image/webp'],
  ['anim.gif', { width: 50, format: 'jpg' }, [50, 30], 'image/jpeg'],
  ['alpha.png', { width: 60, format: 'source' }, [60, 40], 'image/png'],
  ['photo.webp', { width: 60, format: 'source' }, [60, 40], 'image/jpeg'],
  ['photo.avif', { width: 60, format: 'source' }, [60, 40], 'image/jpeg'],
  ['logo.svg', { width: 480, format: 'png' }, [480, 320], 'image/png'],
]

/** The same path below the endpoint, with a signature of its own. */
function resigned(url: string, key: string, salt: string): string {
  const [, endpoint, path] = /^(.*?)\/[\w-]{43}(\/.*)$/.exec(url)!
  const mac = createHmac('sha256', Buffer.from(key, 'hex')).update(Buffer.from(salt, 'hex')).update(path!)
  return `${endpoint}/${mac.digest('base64url')}${path}`
}

export function serverCases(server: ServerUnderTest): void {
  const { cannot = {} } = server
  let origin: SourceServer
  let files: SourceFiles

  const build = (variant: Variant, settings: Partial<ImgproxyOptions> = {}) =>
    imgproxy({
      url: server.url(variant)!,
      key: server.key,
      salt: server.salt,
      ...(variant === 'short signatures' ? { signatureSize: 8 } : {}),
      ...(variant === 'only presets' ? { onlyPresets: true } : {}),
      ...settings,
    })
  const ask = async (url: string, variant: Variant = 'usual') => {
    origin.asked.length = 0
    return readAnswer(await server.ask(variant, url, origin.origin), origin.asked)
  }
  const photo = () => `${origin.origin}/photo.jpg`
  const skips = (title: string) => (cannot[title] === undefined ? '' : ` [skipped: ${cannot[title]}]`)
  const one = (title: string, run: () => Promise<void>) =>
    test.skipIf(cannot[title] !== undefined)(`${title}${skips(title)}`, run)

  beforeAll(async () => {
    files = await sourceFiles()
    origin = await fileOrigin(
      new Map([...files, ...NAMES.map(name => [name, files.get('photo.jpg')!] as const)]),
    )
  })
  afterAll(() => origin?.close())

  describe(`${server.name} and http sources`, () => {
    for (const sourceEncoding of ['plain', 'base64'] as const) {
      test.each(NAMES)(`finds %s, ${sourceEncoding}`, async name => {
        const target = `/${name.split('/').map(encodeURIComponent).join('/')}`
        const url = build('usual', { sourceEncoding }).url(`${origin.origin}${target}`, { width: 30 })
        expect(await ask(url)).toMatchObject({
          status: 200,
          width: 30,
          height: 20,
          originRequestTarget: target,
        })
      })
      test.each([
        '?a=1&b=2',
        '?sig=a%2Fb%2Bc%3D&x=1+2',
        '?e=me%40x.org&n=%E5%86%99',
        '?q=@webp',
        '?url=http://a.example/b?c',
      ])(`keeps the query %s, ${sourceEncoding}`, async query => {
        const url = build('usual', { sourceEncoding }).url(`${photo()}${query}`, { width: 30 })
        expect(await ask(url)).toMatchObject({ status: 200, originRequestTarget: `/photo.jpg${query}` })
      })
    }
    test.each([4, 16, 33])('puts base64 together again that was split every %i', async base64SplitSize => {
      const url = build('usual', { sourceEncoding: 'base64', base64SplitSize }).url(photo(), { width: 30 })
      expect(await ask(url)).toMatchObject({ status: 200, width: 30 })
    })
  })

  for (const kind of ['local', 's3'] as const) {
    const store = server.store[kind]
    const skipped = store === undefined ? ` [skipped: ${server.name} was given no ${kind} place]` : ''
    describe(`${server.name} and ${kind} sources`, () => {
      for (const sourceEncoding of ['plain', 'base64'] as const) {
        test.skipIf(store === undefined).each(KEYS)(`finds %s, ${sourceEncoding}${skipped}`, async key => {
          const source = await store!(key, files.get('photo.jpg')!)
          const url = build('usual', { sourceEncoding }).url(source, { width: 30 })
          expect(await ask(url)).toMatchObject({ status: 200, width: 30, height: 20 })
        })
      }
      test.skipIf(store === undefined)(`finds nothing that was not stored${skipped}`, async () => {
        const source = await store!('is-there.jpg', files.get('photo.jpg')!)
        const url = build('usual').url(source.replace('is-there', 'is-not-there'), { width: 30 })
        expect(await ask(url)).toMatchObject({ status: 404, body: 'Source is unreachable' })
      })
    })
  }

  describe(`${server.name} and options`, () => {
    for (const { options, gives, type = 'image/webp' } of OPTIONS) {
      one(JSON.stringify(options), async () => {
        const [width, height] = gives
        expect(await ask(build('usual').url(photo(), options))).toMatchObject({
          status: 200,
          contentType: type,
          width,
          height,
        })
      })
    }
    for (const [file, options, [width, height, pages], type] of SOURCES) {
      one(`${file} ${JSON.stringify(options)}`, async () => {
        const answer = await ask(build('usual').url(`${origin.origin}/${file}`, options))
        expect(answer).toMatchObject({ status: 200, contentType: type, width, height })
        expect(answer.pages).toBe(pages)
      })
    }
    one('names the file', async () => {
      const named = async (options: ImageOptions) =>
        (await ask(build('usual').url(photo(), { width: 9, ...options })))['content-disposition']
      expect(await named({})).toBe('inline; filename="photo.webp"')
      expect(await named({ filename: 'my cat' })).toBe('inline; filename="my cat.webp"')
      expect(await named({ filename: '猫:1/2', attachment: true })).toMatch(/^attachment; filename="猫/)
    })
    one('takes a version and serves the same image', async () => {
      for (const cacheBuster of ['v1', '"etag"', 'a b', 'ü%2F', 'W-0x8D'])
        expect(await ask(build('usual').url(photo(), { width: 9, cacheBuster }))).toMatchObject({
          status: 200,
        })
    })
    one('caches no longer than the URL lives', async () => {
      const nowSeconds = Math.floor(Date.now() / 1000)
      const answer = await ask(build('usual').url(photo(), { width: 9, expires: nowSeconds + 1000 }))
      const seconds = Number(/^max-age=(\d+), public$/.exec(answer['cache-control']!)![1])
      expect(seconds).toBeGreaterThan(900)
      expect(seconds).toBeLessThanOrEqual(1000)
    })
    one('is sent a URL that lost a slash on its way', async () => {
      const plain = build('usual', { sourceEncoding: 'plain' }).url(photo(), { width: 30, format: 'source' })
      const bare = plain.replace(encodeURIComponent(photo()), photo())
      const signed = resigned(bare, server.key.split(',').at(-1)!, server.salt.split(',').at(-1)!)
      expect(await ask(signed.replace(/\/plain\/http:\/\//, '/plain/http:/'))).toMatchObject({ status: 200 })
      expect(await ask(signed.replace('rs:fit:30:0', 'rs%3Afit%3A30%3A0'))).toMatchObject({ status: 200 })
    })
    one('refuses what has expired', async () => {
      const past = Math.floor(Date.now() / 1000) - 60
      const url = build('usual', { now: () => 0 }).url(photo(), { width: 9, expires: past })
      expect(await ask(url)).toMatchObject({ status: 404, body: 'Invalid URL' })
    })
    one('lets a URL live as long as the builder was told', async () => {
      const url = build('usual', { ttlSeconds: 600 }).url(photo(), { width: 9 })
      expect(await ask(url)).toMatchObject({ status: 200 })
    })
  })

  describe(`${server.name} and signatures`, () => {
    const forbidden = { status: 403, body: 'Forbidden' }
    one('refuses whatever was changed', async () => {
      const url = build('usual').url(photo(), { width: 100, cacheBuster: 'v1' })
      for (const changed of [
        url.replace('fit:100', 'fit:101'),
        url.replace('v1', 'v2'),
        url.replace('photo', 'other'),
        url.replace('@webp', '@jpg'),
        url.replace(/%2F/g, '%2f'),
        url.replace(/^(http.*\/)[\w-]{43}\//, '$1unsafe/'),
        url.replace(/^(http.*\/[\w-]{43})\//, '$1=/'),
        url.replace(/^(http.*\/[\w-]{11})[\w-]{32}\//, '$1/'),
      ]) {
        expect(changed).not.toBe(url)
        expect(await ask(changed)).toMatchObject(forbidden)
      }
      expect(await ask(`${url}?v=2`)).toMatchObject({ status: 200 })
    })
    const pairs = server.key.split(',').length
    const alone = pairs > 1 ? '' : ` [skipped: ${server.name} has one key]`
    test.skipIf(pairs < 2)(`accepts every pair of keys, and none that is mixed${alone}`, async () => {
      const keys = server.key.split(',')
      const salts = server.salt.split(',')
      for (const [index, key] of keys.entries()) {
        const right = build('usual', { key, salt: salts[index]! }).url(photo(), { width: 30 })
        const mixed = build('usual', { key, salt: salts[(index + 1) % keys.length]! }).url(photo(), {
          width: 30,
        })
        expect(await ask(right)).toMatchObject({ status: 200 })
        expect(await ask(mixed)).toMatchObject(forbidden)
      }
      const newest = build('usual', { key: keys.at(-1)!, salt: salts.at(-1)! }).url(photo(), { width: 30 })
      expect(build('usual').url(photo(), { width: 30 })).toBe(newest)
    })

    const short = server.url('short signatures')
    const noShort =
      short === undefined ? ` [skipped: ${server.name} has no variant with short signatures]` : ''
    test.skipIf(short === undefined)(
      `takes signatures of 8 bytes where it is told so${noShort}`,
      async () => {
        const path = (bytes: number) =>
          build('short signatures', { signatureSize: bytes }).url(photo(), { width: 30 })
        expect(await ask(path(8), 'short signatures')).toMatchObject({ status: 200, width: 30 })
        for (const bytes of [7, 9, 32])
          expect(await ask(path(bytes), 'short signatures')).toMatchObject(forbidden)
      },
    )

    const only = server.url('only presets')
    const noOnly = only === undefined ? ` [skipped: ${server.name} has no variant with presets only]` : ''
    test.skipIf(only === undefined)(
      `takes presets and nothing else where it is told so${noOnly}`,
      async () => {
        const presets = build('only presets')
        const size = async (url: string) => {
          const { status, width, height } = await ask(url, 'only presets')
          return [status, width, height]
        }
        expect(await size(presets.url(photo(), { preset: 'thumb' }))).toEqual([200, 100, 100])
        expect(await size(presets.url(photo(), { preset: ['thumb', 'placeholder'] }))).toEqual([200, 32, 21])
        const base64 = build('only presets', { sourceEncoding: 'base64' })
        expect(await size(base64.url(photo(), { preset: 'thumb', format: 'png' }))).toEqual([200, 100, 100])
        expect(await size(presets.url(photo(), { preset: 'unheard-of' }))).toEqual([404, null, null])
        const options = build('only presets', { onlyPresets: false }).url(photo(), { width: 30 })
        expect(await size(options)).toEqual([404, null, null])
      },
    )
  })
}
