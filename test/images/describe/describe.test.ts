import { Readable } from 'node:stream'
import { encode } from 'blurhash'
import sharp from 'sharp'
import { expect, describe as group, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { UploadBody } from '../../../src/core/body.ts'
import { type DescribeOptions, decodeBlurhash, describe } from '../../../src/images/index.ts'
import { refused } from '../../support/refused.ts'
import { animation, everyKind, noise, picture, svg } from './sample-files.ts'

/** What users have stored: made by sharp's own turn and npm's encoder. */
async function usualBlurhash(file: Buffer, x = 4, y = 4): Promise<string> {
  const sample = sharp(file).autoOrient().resize(32, 32, { fit: 'inside' }).ensureAlpha().raw()
  const { data, info } = await sample.toBuffer({ resolveWithObject: true })
  return encode(new Uint8ClampedArray(data), info.width, info.height, x, y)
}

group('describe', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('sees an image as its orientation %i says', async orientation => {
    const file = await picture(120, 80).withMetadata({ orientation }).jpeg().toBuffer()
    const lies = orientation >= 5
    expect(await describe(file)).toEqual({
      type: 'image/jpeg',
      width: lies ? 80 : 120,
      height: lies ? 120 : 80,
      animated: false,
      alpha: false,
      blurhash: await usualBlurhash(file),
    })
  })

  it('turns the pixels with the size: a turned photo looks as the one that lay straight', async () => {
    const straight = await picture(80, 120).png().toBuffer()
    const turned = await sharp(straight).rotate(270).withMetadata({ orientation: 6 }).png().toBuffer()
    const [seen, was] = await Promise.all(
      [turned, straight].map(async file => (await describe(file)).blurhash!),
    )
    const [ours, theirs] = [decodeBlurhash(seen!, 16, 24), decodeBlurhash(was!, 16, 24)]
    // Pixels are averaged in another order: a step of rounding may differ, a corner may not.
    expect(Math.max(...ours.map((value, at) => Math.abs(value - theirs[at]!)))).toBeLessThan(16)
  })

  it.each([
    ['png', 'image/png', true],
    ['webp', 'image/webp', true],
    ['avif', 'image/avif', true],
    ['tiff', 'image/tiff', false],
    ['gif', 'image/gif', true],
    ['jpeg', 'image/jpeg', false],
  ] as const)('tells type and alpha of %s', async (format, type, alpha) => {
    const file = await picture(60, 40, 4).toFormat(format).toBuffer()
    const description = await describe(file)
    expect(description).toMatchObject({ type, width: 60, height: 40, alpha, animated: false })
    expect(description.blurhash).toBe(await usualBlurhash(file))
  })

  it.each(['gif', 'webp'] as const)('has the size of one frame of an animated %s', async format => {
    const file = await animation(format, 3)
    const description = await describe(file)
    expect(description).toMatchObject({ width: 40, height: 30, animated: true })
    expect(description.blurhash).toBe(await usualBlurhash(file))
  })

  it('knows an animated PNG by its chunk', async () => {
    const png = await picture(20, 10).png().toBuffer()
    expect((await describe(png)).animated).toBe(false)
    const control = Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.from('acTL'), Buffer.alloc(12)])
    const headEnd = 8 + 12 + 13
    const animated = Buffer.concat([png.subarray(0, headEnd), control, png.subarray(headEnd)])
    expect((await describe(animated)).animated).toBe(true)
  })

  it.each([
    ['CMYK', () => picture(60, 40).toColourspace('cmyk').jpeg()],
    ['16 bits a channel', () => picture(60, 40).toColourspace('rgb16').png()],
    ['grey', () => picture(60, 40).toColourspace('b-w').jpeg()],
    ['grey with alpha', () => picture(60, 40, 4).toColourspace('b-w').png()],
    ['a palette', () => picture(60, 40).png({ palette: true })],
    ['an interlaced file', () => picture(60, 40).png({ progressive: true })],
    ['a progressive file', () => picture(60, 40).jpeg({ progressive: true })],
    ['one pixel', () => picture(1, 1).png()],
    ['a line down', () => picture(1, 5000).png()],
    ['a line across', () => picture(5000, 1).jpeg()],
  ])('has a size and the usual hash of %s', async (_, make) => {
    const file = await make().toBuffer()
    const { width, height } = await sharp(file).metadata()
    expect(await describe(file)).toMatchObject({ width, height, blurhash: await usualBlurhash(file) })
  })

  it('makes as many components as are asked for', async () => {
    const file = await picture(60, 40).png().toBuffer()
    for (const [x, y] of [
      [1, 1],
      [3, 5],
      [9, 9],
    ] as const)
      expect((await describe(file, { components: { x, y } })).blurhash).toBe(await usualBlurhash(file, x, y))
  })

  it('lays transparent pixels on a colour where one is given, and only there', async () => {
    const clear = sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    })
    const file = await clear.png().toBuffer()
    const white = await picture(8, 8).linear(0, 255).png().toBuffer()
    expect((await describe(file, { flatten: '#fff' })).blurhash).toBe((await describe(white)).blurhash)
    expect((await describe(file)).blurhash).not.toBe((await describe(white)).blurhash)
  })

  it('takes every kind of body', async () => {
    const file = await sharp(noise(1100 * 1100 * 3), { raw: { width: 1100, height: 1100, channels: 3 } })
      .jpeg({ quality: 95 })
      .toBuffer()
    expect(file.length).toBeGreaterThan(2 ** 20)
    const expected = await describe(file)
    const files = memory()
    await files.upload('a', file)
    const bodies: Record<string, () => UploadBody | Promise<UploadBody>> = {
      'an ArrayBuffer': () => Uint8Array.from(file).buffer,
      'a view': () => new DataView(file.buffer, file.byteOffset, file.length),
      'a Blob': () => new Blob([Uint8Array.from(file)]),
      'a Node stream': () => Readable.from([file.subarray(0, 10), file.subarray(10)]),
      'a web stream': () => new Blob([Uint8Array.from(file)]).stream() as ReadableStream<Uint8Array>,
      'an iterable': async function* pieces() {
        for (let at = 0; at < file.length; at += 50_000) yield file.subarray(at, at + 50_000)
      },
      'a download': () => files.download('a'),
    }
    for (const [name, body] of Object.entries(bodies))
      expect(await describe(await body()), name).toEqual(expected)
  })

  it('tells the size of SVG without drawing it, and draws it on demand', async () => {
    const file = svg('<rect width="120" height="80" fill="red"/>')
    const plain = { type: 'image/svg+xml', width: 120, height: 80, animated: false, alpha: true }
    expect(await describe(file)).toEqual(plain)
    const drawn = await describe(file, { drawSvg: true })
    expect(drawn).toEqual({ ...plain, blurhash: await usualBlurhash(Buffer.from(file)) })
  })

  it('refuses options that are none', async () => {
    const bad: Record<string, unknown>[] = [
      { maxPixels: 0 },
      { maxBytes: Number.NaN },
      { components: { x: 10, y: 1 } },
      { component: { x: 1, y: 1 } },
      { timeoutMs: '10' },
    ]
    for (const options of bad)
      await expect(describe(new Uint8Array(1), options as DescribeOptions)).rejects.toThrow(
        refused(/^describe: /),
      )
  })

  it('knows the kinds of its own samples', async () => {
    for (const [name, file] of Object.entries(await everyKind()))
      expect(await describe(file), name).toMatchObject({
        width: expect.any(Number),
        height: expect.any(Number),
      })
  })
})
