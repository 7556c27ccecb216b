import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { expect, describe as group, it, vi } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { isStorageError } from '../../../src/core/errors.ts'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { describe } from '../../../src/images/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { chunk } from './png-chunks.ts'
import { animation, everyKind, noise, picture, svg } from './sample-files.ts'

/** A PNG of one bit a pixel, all black: a thousandth of its pixels in bytes. */
function blackPng(width: number, height: number): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 1
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height))
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

group('describe, of what is cut short', () => {
  it.each([
    ['a JPEG', 'jpeg'],
    ['a PNG', 'png'],
    ['an AVIF', 'avif'],
  ] as const)('keeps the size of %s, without a hash', async (_, format) => {
    const file = await sharp(noise(200 * 100 * 3), { raw: { width: 200, height: 100, channels: 3 } })
      .toFormat(format)
      .toBuffer()
    const cut = file.subarray(0, file.length / 2)
    expect(await describe(cut)).toEqual({
      type: `image/${format}`,
      width: 200,
      height: 100,
      animated: false,
      alpha: false,
    })
  })

  it('refuses a file that ends in its head', async () => {
    const file = await picture(200, 100).jpeg().toBuffer()
    await expect(describe(file.subarray(0, 20))).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  // An AVIF under HEIC's names: sharp as it is published decodes no HEVC, so a true one can't be made here.
  it('says of HEIC whose head sharp can not read what it begins as', async () => {
    const file = Buffer.from((await picture(64, 48).avif().toBuffer()).map(byte => byte))
    for (const [from, to] of [
      ['avif', 'heic'],
      ['av01', 'hvc1'],
      ['av1C', 'hvcC'],
    ] as const)
      for (let at = file.indexOf(from); at >= 0; at = file.indexOf(from, at)) file.write(to, at)
    await expect(describe(file)).rejects.toThrow(/begins as image\/heic/)
    await expect(describe(file)).rejects.toSatisfy(hasCode('invalid-argument'))
  })
})

group('describe, of what is no image', () => {
  it.each([
    ['nothing', ''],
    ['text', 'a text'],
    ['HTML', '<!doctype html><p>'],
    ['XML', '<?xml version="1.0"?><a/>'],
    ['PDF', '%PDF-1.7\n%'],
    ['a zip archive', Buffer.from('504b030414000000', 'hex')],
    ['noise', noise(5000)],
  ])('refuses %s', async (_, body) => {
    await expect(describe(body)).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('refuses a stream by its beginning and reads no more of it', async () => {
    let given = 0
    let stopped = false
    async function* endless() {
      try {
        for (;;) {
          given++
          yield Buffer.alloc(65_536, 'no image ')
        }
      } finally {
        stopped = true
      }
    }
    await expect(describe(endless())).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(given).toBeLessThan(3)
    expect(stopped).toBe(true)
  })
})

group('describe, of bombs', () => {
  it('refuses a PNG of 900 million pixels in a hundred KB, before it decodes it', async () => {
    const bomb = blackPng(30_000, 30_000)
    expect(bomb.length).toBeLessThan(200_000)
    const before = process.memoryUsage.rss()
    await expect(describe(bomb)).rejects.toSatisfy(hasCode('too-large'))
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20)
  })

  it('describes a large image of few bytes in little memory', async () => {
    const large = blackPng(8_000, 8_000)
    const before = process.memoryUsage.rss()
    expect(await describe(large)).toMatchObject({ width: 8_000, height: 8_000, blurhash: expect.any(String) })
    expect(process.memoryUsage.rss() - before).toBeLessThan(128 * 2 ** 20)
  })

  it.each([
    ['a huge SVG', svg('', 'width="100000" height="100000"'), {}],
    ['an animation of more frames than are allowed', () => animation('gif', 30), { maxFrames: 20 }],
    ['more pixels than are allowed', () => picture(101, 100).jpeg().toBuffer(), { maxPixels: 10_000 }],
    ['more bytes than are allowed', () => picture(101, 100).jpeg().toBuffer(), { maxBytes: 100 }],
  ])('refuses %s as too large', async (_, body, options) => {
    const file = typeof body === 'function' ? await body() : body
    await expect(describe(file, options)).rejects.toSatisfy(hasCode('too-large'))
    const stream = Readable.from([Buffer.from(file)])
    await expect(describe(stream, options)).rejects.toSatisfy(hasCode('too-large'))
  })

  it('refuses a GIF of thousands of frames', async () => {
    const head = Buffer.from([...Buffer.from('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255])
    const frame = Buffer.from('21f9040000000000' + '2c000000000100010000' + '0202440100', 'hex')
    const bomb = Buffer.concat([head, ...Array.from({ length: 20_000 }, () => frame), Buffer.from([0x3b])])
    await expect(describe(bomb)).rejects.toSatisfy(hasCode('too-large'))
  })

  it('does not read a download that is too long', async () => {
    const files = memory()
    await files.upload('a', await picture(20, 20).png().toBuffer())
    const sent = await files.download('a')
    await expect(describe(sent, { maxBytes: 50 })).rejects.toSatisfy(hasCode('too-large'))
    await expect(sent.bytes()).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('ends when its time is over', async () => {
    const file = await sharp(noise(2000 * 2000 * 3), { raw: { width: 2000, height: 2000, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer()
    await expect(describe(file, { timeoutMs: 1 })).rejects.toSatisfy(hasCode('timeout'))
  })

  it('ends when its caller ends it, also while a stream hangs', async () => {
    const controller = new AbortController()
    const png = await picture(20, 20).png().toBuffer()
    async function* hanging() {
      yield png.subarray(0, 50)
      await new Promise(() => {})
    }
    const answer = describe(hanging(), { signal: controller.signal })
    controller.abort()
    await expect(answer).rejects.toSatisfy(hasCode('aborted'))
    await expect(describe(png, { signal: controller.signal })).rejects.toSatisfy(hasCode('aborted'))
  })

  it('says that the stream failed, and how', async () => {
    const png = await picture(20, 20).png().toBuffer()
    async function* failing() {
      yield png.subarray(0, 50)
      throw new Error('the disk is gone')
    }
    const error = await describe(failing()).catch(thrown => thrown)
    expect(error).toSatisfy(hasCode('aborted'))
    expect(error.cause.message).toBe('the disk is gone')
  })
})

group('describe, of hostile SVG', () => {
  const passwd = '<!ENTITY x SYSTEM "file:///etc/passwd">'
  const bombs = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('')

  it.each([
    [
      'entities of entities',
      `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "lol">${bombs}]>${svg('<text>&e9;</text>')}`,
    ],
    [
      'a file as an entity',
      `<?xml version="1.0"?><!DOCTYPE svg [${passwd}]>${svg('<text y="20">&x;</text>')}`,
    ],
  ])('refuses %s', async (_, file) => {
    await expect(describe(file, { drawSvg: true })).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it.each([
    ['a script that never ends', svg('<script>for (;;) {}</script>')],
    ['an image of this machine', svg('<image href="file:///etc/hostname" width="9" height="9"/>')],
    ['an image of elsewhere', svg('<image href="http://127.0.0.1:1/a.png" width="9" height="9"/>')],
  ])('draws SVG without %s', async (_, file) => {
    const empty = await describe(svg(''), { drawSvg: true })
    expect(await describe(file, { drawSvg: true })).toEqual(empty)
  })
})

group('describe, of damaged files', () => {
  it('answers or refuses, whatever bytes were changed, and leaves nothing behind', {
    timeout: 120_000,
  }, async () => {
    const random = seededRandom(20)
    const below = (limit: number) => Math.floor(random() * limit)
    const mutated = (file: Buffer): Buffer => {
      const copy = Buffer.from(file)
      for (let i = below(8); i >= 0; i--) copy[below(copy.length)] = below(256)
      const kind = below(4)
      if (kind === 0) return copy.subarray(0, below(copy.length))
      const [from, to] = [below(copy.length), below(copy.length)].sort((a, b) => a - b) as [number, number]
      if (kind === 1) return Buffer.concat([copy.subarray(0, from), copy.subarray(to)])
      return kind === 2 ? Buffer.concat([copy.subarray(0, to), copy.subarray(from)]) : copy
    }
    const answers = { described: 0, refused: 0 }
    for (const [name, file] of Object.entries(await everyKind()))
      for (let i = 0; i < 50; i++) {
        const files = [mutated(file), mutated(file), mutated(file), mutated(file)]
        const settled = await Promise.allSettled(files.map(each => describe(each, { maxPixels: 4_000_000 })))
        for (const answer of settled)
          if (answer.status === 'fulfilled') {
            answers.described++
            expect(answer.value.width * answer.value.height, name).toBeGreaterThan(0)
          } else {
            answers.refused++
            expect(
              isStorageError(answer.reason, 'invalid-argument', 'too-large'),
              `${name}: ${answer.reason}`,
            ).toBe(true)
          }
      }
    expect(answers.described).toBeGreaterThan(200)
    expect(answers.refused).toBeGreaterThan(200)
  })

  it('keeps no temporary file of any kind, not even an open one', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-test-images-'))
    vi.stubEnv('TMPDIR', folder)
    try {
      const pixels = noise(1300 * 1300 * 3)
      for (const format of ['jpeg', 'png', 'webp', 'tiff', 'gif'] as const) {
        const options = format === 'webp' || format === 'jpeg' ? { quality: 98 } : {}
        const file = await sharp(pixels, { raw: { width: 1300, height: 1300, channels: 3 } })
          .toFormat(format, { ...options, effort: 1 })
          .toBuffer()
        expect(file.length, format).toBeGreaterThan(2 ** 20)
        expect(await describe(Readable.from([file]))).toEqual(await describe(file))
      }
      expect(await readdir(folder)).toEqual([])
      expect(await openFiles(folder)).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })
})

/** Where the system tells: on Linux. */
async function openFiles(folder: string): Promise<string[]> {
  const handles = await readdir('/proc/self/fd').catch(() => [])
  const paths = await Promise.all(handles.map(handle => readlink(`/proc/self/fd/${handle}`).catch(() => '')))
  return paths.filter(path => path.includes(folder))
}
