import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { UploadBody } from '../../../src/core/body.ts'
import { StorageError } from '../../../src/core/errors.ts'
import type { Progress, UploadOptions } from '../../../src/core/options.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward, observe, prefix, retry } from '../../../src/decorators/index.ts'
import {
  describe as describeImage,
  type ImageMetadataOptions,
  imageMetadata,
  type UndescribedImage,
  withImageMetadata,
} from '../../../src/images/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { refused } from '../../support/refused.ts'
import { noise, picture, svg } from '../describe/sample-files.ts'

let small: Buffer
/** Above what is kept in memory. */
let large: Buffer
let expected: { small: Record<string, string>; large: Record<string, string> }
let folder: string

beforeAll(async () => {
  small = await picture(120, 80, 4).withMetadata({ orientation: 6 }).png().toBuffer()
  large = await sharp(noise(1200 * 1200 * 3), { raw: { width: 1200, height: 1200, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer()
  expected = {
    small: imageMetadata(await describeImage(small)),
    large: imageMetadata(await describeImage(large)),
  }
  folder = await mkdtemp(join(tmpdir(), 'stowage-test-images-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Files over memory that record what reaches them, with a folder for temporary files that must be empty afterwards. */
function world(options: ImageMetadataOptions = {}) {
  const inner = memory()
  const told: UndescribedImage[] = []
  const calls: { body: UploadBody; options: UploadOptions | undefined; spooled: number }[] = []
  const watched = forward(inner, {
    async upload(key, body, given) {
      calls.push({ body, options: given, spooled: (await readdir(folder)).length })
      return inner.upload(key, body, given)
    },
  })
  const files = withImageMetadata(watched, {
    temporaryFolder: folder,
    onUndescribed: problem => told.push(problem),
    ...options,
  })
  const leftovers = () => readdir(folder)
  return { files, inner, told, calls, leftovers }
}

function pieces(bytes: Buffer, size = 60_000): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
}

const KINDS: Record<string, (bytes: Buffer) => UploadBody> = {
  bytes: bytes => bytes,
  'an ArrayBuffer': bytes => Uint8Array.from(bytes).buffer,
  'a Blob': bytes => new Blob([Uint8Array.from(bytes)]),
  'a Node stream': bytes => Readable.from(pieces(bytes)),
  'a web stream': bytes => new Blob([Uint8Array.from(bytes)]).stream() as ReadableStream<Uint8Array>,
  'an iterable': async function* (bytes) {
    yield* pieces(bytes)
  },
}

describe('withImageMetadata', () => {
  it.each(Object.keys(KINDS))(
    'adds size and blurhash to an image given as %s, and stores its bytes',
    async kind => {
      for (const [size, image] of [
        ['small', small],
        ['large', large],
      ] as const) {
        const { files, leftovers } = world()
        const info = await files.upload('a', KINDS[kind]!(image))
        expect(info.metadata).toEqual(expected[size])
        expect(info).toMatchObject({
          size: image.length,
          contentType: size === 'small' ? 'image/png' : 'image/jpeg',
        })
        expect(Buffer.compare(await bytesOf(files, 'a'), image)).toBe(0)
        expect(await leftovers()).toEqual([])
      }
    },
  )

  it('leaves what the caller says of the image, whatever the case of its names', async () => {
    const { files } = world()
    const given = { Blurhash: 'mine', album: 'summer', alpha: 'no' }
    const info = await files.upload('a', small, { metadata: given })
    expect(info.metadata).toEqual({ ...expected.small, blurhash: 'mine', album: 'summer', alpha: 'no' })
  })

  it('passes all other options on as they are', async () => {
    const { files, calls } = world()
    const progress: Progress[] = []
    const sha256 = createHash('sha256').update(large).digest('hex')
    await files.upload('a', 'old')
    const { etag } = await files.info('a')
    const options: UploadOptions = {
      contentType: 'image/x-mine',
      cacheControl: 'max-age=60',
      checksum: { algorithm: 'sha256', value: sha256 },
      ifMatch: etag!,
      onProgress: at => progress.push(at),
    }
    const info = await files.upload('a', Readable.from(pieces(large)), options)
    expect(info).toMatchObject({
      contentType: 'image/x-mine',
      cacheControl: 'max-age=60',
      metadata: expected.large,
    })
    expect(progress.at(-1)).toEqual({ loaded: large.length, total: large.length })
    expect(calls.at(-1)!.options).toMatchObject({ ...options, size: large.length })
    await expect(files.upload('a', small, options)).rejects.toSatisfy(hasCode('checksum-mismatch'))
    await expect(files.upload('a', small, { ifMatch: 'other' })).rejects.toSatisfy(
      hasCode('precondition-failed'),
    )
    await expect(files.upload('a', small, { ifNoneMatch: '*' })).rejects.toSatisfy(hasCode('already-exists'))
  })

  it.each([
    ['shorter', 10],
    ['longer', -10],
  ])('refuses an image that is %s than its declared size', async (_, more) => {
    const { files, leftovers } = world()
    for (const image of [small, large]) {
      const upload = files.upload('a', Readable.from(pieces(image)), { size: image.length + more })
      await expect(upload).rejects.toSatisfy(hasCode('invalid-argument'))
    }
    expect(await files.exists('a')).toBe(false)
    expect(await leftovers()).toEqual([])
  })

  it('keeps no more of an image than its declared size', async () => {
    const { files, leftovers } = world()
    let given = 0
    async function* endless() {
      yield large.subarray(0, 60_000)
      for (; given < 1000; given++) yield Buffer.alloc(60_000)
    }
    const upload = files.upload('a', endless(), { size: 100_000 })
    await expect(upload).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(given).toBeLessThan(3)
    expect(await leftovers()).toEqual([])
  })

  it('streams what is no image straight through: the store reads while the source still gives', async () => {
    const { inner } = world()
    let given = 0
    let whenRead = 0
    async function* source() {
      for (; given < 100; given++) yield Buffer.alloc(50_000, 'no image, a long text\n')
    }
    const slow = forward(inner, {
      async upload(key, body, options) {
        whenRead = given
        return inner.upload(key, body, options)
      },
    })
    const info = await withImageMetadata(slow).upload('a.bin', source())
    expect(info.metadata).toEqual({})
    expect(info.size).toBe(5_000_000)
    expect(whenRead).toBeLessThan(3)
  })

  it.each([
    ['text', () => 'a text'],
    ['bytes', () => noise(5000)],
    ['a Blob', () => new Blob(['a text'])],
  ] as [string, () => UploadBody][])(
    'gives %s without an image to the store as they came',
    async (_, make) => {
      const { files, calls } = world()
      const body = make()
      await files.upload('a', body)
      expect(calls[0]!.body).toBe(body)
      expect(calls[0]!.options?.metadata).toBeUndefined()
    },
  )

  it('tells the size of SVG, also where it comes as text', async () => {
    const { files } = world()
    const info = await files.upload('a', svg('<rect/>'))
    expect(info.metadata).toEqual({ width: '120', height: '80', alpha: 'true' })
  })

  it('takes an empty stream, and refuses one that was read before, as without it', async () => {
    const { files } = world()
    expect((await files.upload('empty', Readable.from([]))).size).toBe(0)
    const read = Readable.from([small])
    for await (const _ of read) {
    }
    await expect(files.upload('a', read)).rejects.toSatisfy(hasCode('invalid-argument'))
    const locked = new Blob([Uint8Array.from(small)]).stream()
    locked.getReader()
    await expect(files.upload('a', locked as never)).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('reads nothing where the arguments are refused', async () => {
    const { files } = world()
    for (const [key, options] of [
      ['..', {}],
      ['a', { metadata: { 'not a name': '' } }],
      ['a', { timeoutMs: -1 }],
      ['a', { signal: AbortSignal.abort() }],
    ] as const) {
      const body = Readable.from([small])
      await expect(files.upload(key, body, options)).rejects.toBeInstanceOf(StorageError)
      expect(Readable.isDisturbed(body)).toBe(false)
    }
  })
})

describe('withImageMetadata, of images that can not be described', () => {
  it.each([
    ['is damaged in its head', () => small.subarray(0, 30), {}, 'invalid-argument'],
    ['has too many pixels', () => small, { maxPixels: 100 }, 'too-large'],
    ['has too many bytes', () => large, { maxBytes: 100_000 }, 'too-large'],
    ['takes too long', () => large, { timeoutMs: 0.001 }, 'timeout'],
  ] as const)('stores what %s without metadata, and tells of it', async (_, image, limits, code) => {
    for (const kind of ['bytes', 'a Blob', 'a Node stream']) {
      const { files, told, leftovers } = world(limits)
      const info = await files.upload('a', KINDS[kind]!(image()), { metadata: { album: 'x' } })
      expect(info.metadata).toEqual({ album: 'x' })
      expect(Buffer.compare(await bytesOf(files, 'a'), image()), kind).toBe(0)
      expect(told).toMatchObject([{ operation: 'upload', key: 'a', error: { code } }])
      expect(await leftovers()).toEqual([])
    }
  })

  it.each([
    ['is damaged in its head', () => small.subarray(0, 30), {}, 'invalid-argument'],
    ['has too many bytes', () => large, { maxBytes: 100_000 }, 'too-large'],
  ] as const)('refuses what %s where it is told to', async (_, image, limits, code) => {
    for (const kind of Object.keys(KINDS)) {
      const { files, told, calls, leftovers } = world({ ...limits, onProblem: 'refuse' })
      const error = await files.upload('a', KINDS[kind]!(image())).catch(thrown => thrown)
      expect(error).toMatchObject({
        code,
        operation: 'upload',
        key: 'a',
        provider: 'memory',
        retryable: false,
      })
      expect([told.length, calls.length]).toEqual([1, 0])
      expect(await leftovers()).toEqual([])
    }
  })

  it('stores the size of an image that is cut short', async () => {
    const { files, told } = world()
    const info = await files.upload('a', large.subarray(0, large.length / 2))
    expect(info.metadata).toEqual({ width: '1200', height: '1200' })
    expect(told).toEqual([])
  })

  it('does not make metadata too large that was not', async () => {
    const { files, told } = world()
    const metadata = { long: 'x'.repeat(2030) }
    expect((await files.upload('a', small, { metadata })).metadata).toEqual(metadata)
    expect(told).toMatchObject([{ error: { code: 'too-large' } }])
  })

  it('stores the image also where no temporary file can be made', async () => {
    const { files, told } = world({ temporaryFolder: join(folder, 'missing') })
    const info = await files.upload('a', Readable.from(pieces(large)))
    expect(info).toMatchObject({ size: large.length })
    expect(info.metadata).toEqual({})
    expect(Buffer.compare(await bytesOf(files, 'a'), large)).toBe(0)
    expect(told).toMatchObject([{ error: { code: 'internal' } }])
  })

  it('is not stopped by what its listener throws', async () => {
    const { files } = world({
      maxPixels: 1,
      onUndescribed() {
        throw new Error('no')
      },
    })
    expect((await files.upload('a', small)).size).toBe(small.length)
  })
})

describe('withImageMetadata, of temporary files', () => {
  it('has no file with a name while the store takes the image', async () => {
    const { files, calls } = world()
    await files.upload('a', Readable.from(pieces(large)))
    expect(calls[0]!.spooled).toBe(0)
  })

  it.each([
    ['the source fails', (stop: () => void) => ({ stop, fail: true, abort: false })],
    ['the caller ends it', (stop: () => void) => ({ stop, fail: false, abort: true })],
  ])('leaves nothing behind where %s half-way', async (_, make) => {
    const { files, calls, leftovers } = world()
    const controller = new AbortController()
    let stopped = false
    const { fail, abort } = make(() => {})
    let seen = 0
    async function* source() {
      try {
        for (const piece of pieces(large).slice(0, -1)) yield piece
        seen = (await readdir(folder)).length
        if (fail) throw new Error('the connection broke')
        if (abort) controller.abort()
        await new Promise(resolve => setImmediate(resolve))
        yield pieces(large).at(-1)!
      } finally {
        stopped = true
      }
    }
    await expect(files.upload('a', source(), { signal: controller.signal })).rejects.toSatisfy(
      hasCode('aborted'),
    )
    expect([seen, calls.length]).toEqual([1, 0])
    await expect.poll(() => stopped).toBe(true)
    expect(await leftovers()).toEqual([])
    expect(await files.exists('a')).toBe(false)
  })

  it('leaves nothing behind where the store fails, or takes only a part', async () => {
    for (const takes of [0, 1]) {
      const failing = forward(memory(), {
        async upload(_key, body) {
          let taken = 0
          for await (const _ of body as AsyncIterable<Uint8Array>) if (++taken > takes) break
          throw new StorageError('unavailable', 'the store is down')
        },
      })
      const files = withImageMetadata(failing, { temporaryFolder: folder })
      await expect(files.upload('a', Readable.from(pieces(large)))).rejects.toSatisfy(hasCode('unavailable'))
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('counts the time for all of it together', async () => {
    const { files, leftovers } = world()
    async function* slow() {
      yield small.subarray(0, 50)
      await new Promise(() => {})
    }
    await expect(files.upload('a', slow(), { timeoutMs: 20 })).rejects.toSatisfy(hasCode('timeout'))
    expect(await leftovers()).toEqual([])
  })
})

describe('withImageMetadata, as a layer', () => {
  it('stands in front of the layers below', () => {
    const { files } = world()
    expect(files.capabilities.layers).toEqual(['withImageMetadata'])
    expect(withImageMetadata(retry(memory())).capabilities.layers).toEqual(['withImageMetadata', 'retry'])
    expect(prefix(files, 'a').capabilities.layers).toEqual(['prefix', 'withImageMetadata'])
  })

  it('refuses to stand twice, and over what keeps no metadata', () => {
    const { files } = world()
    expect(() => withImageMetadata(observe(files, () => {}))).toThrow(refused(/decoded twice/))
    const bare = forward(memory(), {
      get capabilities() {
        return { ...memory().capabilities, metadata: false }
      },
    })
    expect(() => withImageMetadata(bare)).toThrow(refused(/keeps no metadata/))
  })

  it('refuses options that are none', () => {
    const bad: Record<string, unknown>[] = [
      { onProblem: 'ignore' },
      { maxPixel: 1 },
      { maxBytes: -1 },
      { signal: {} },
    ]
    for (const options of bad)
      expect(() => withImageMetadata(memory(), options as ImageMetadataOptions)).toThrow(
        refused(/^withImageMetadata: /),
      )
    expect(() => withImageMetadata({} as never)).toThrow(refused(/provider/))
  })

  it('keeps what a provider has beyond the contract, also one of a class with private fields', () => {
    class Counting {
      #count = 0
      constructor(inner: StorageProvider) {
        Object.defineProperties(this, Object.getOwnPropertyDescriptors(inner))
      }
      count(): number {
        return ++this.#count
      }
      get twice(): number {
        return this.#count * 2
      }
    }
    const own = new Counting(forward(memory())) as Counting & StorageProvider
    const files = withImageMetadata(own)
    expect([files.count(), files.count(), own.count(), files.twice]).toEqual([1, 2, 3, 6])
  })
})

async function bytesOf(files: ReturnType<typeof memory>, key: string): Promise<Buffer> {
  return Buffer.from(await (await files.download(key)).bytes())
}
