import { encode } from 'blurhash'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import type { ProcessImageOptions } from '../../src/browser/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { PhotoPage } from './photo-page.ts'
import { animation, CORNERS, corners, cornersOf, exifPhoto } from './photos.ts'

describeWithTool('chromium', 'what processImage makes of a file', program => {
  const on = new PhotoPage(program)

  it('hands back the very file that needs no change, whatever is in it', async () => {
    await on.open()
    const photo = await exifPhoto(1)
    expect(await on.processed(photo, { maxWidth: 160, maxHeight: 5000 })).toMatchObject({
      kept: true,
      reencoded: false,
    })
    expect(await on.processed(photo, { type: 'image/jpeg' })).toMatchObject({ kept: true })
    expect(await on.processed(await exifPhoto(6), { reencode: 'never' })).toMatchObject({
      kept: true,
      width: 160,
      height: 120,
    })
    const transparent = await corners().ensureAlpha(0.5).png().toBuffer()
    expect(await on.processed(transparent)).toMatchObject({ kept: true, type: 'image/png' })
  })

  it('shrinks what is larger than wished, keeps its ratio, and enlarges nothing', async () => {
    await on.open()
    const photo = await exifPhoto(6, 1000, 700)
    const small = await on.processed(photo, { maxWidth: 400, maxHeight: 400 })
    expect(small).toMatchObject({ width: 400, height: 280, reencoded: true, type: 'image/jpeg' })
    expect(await sharp(small.bytes).metadata()).toMatchObject({ width: 400, height: 280, format: 'jpeg' })
    expect(await cornersOf(small.bytes)).toEqual(CORNERS)
    const same = await on.processed(photo, { maxWidth: 4000 })
    expect(same).toMatchObject({ width: 1000, height: 700 })
    expect(same.blurhash).toBe(small.blurhash)
  })

  it('writes the type that is asked for, white under what was transparent where JPEG has none', async () => {
    await on.open()
    const transparent = await sharp({
      create: { width: 40, height: 40, channels: 4, background: '#00000000' },
    })
      .png()
      .toBuffer()
    const jpeg = await on.processed(transparent, { type: 'image/jpeg' })
    expect(jpeg.type).toBe('image/jpeg')
    expect([...(await sharp(jpeg.bytes).raw().toBuffer()).subarray(0, 3)]).toEqual([255, 255, 255])
    const webp = await on.processed(await exifPhoto(1), { type: 'image/webp', quality: 0.5 })
    expect((await sharp(webp.bytes).metadata()).format).toBe('webp')
    expect(webp.type).toBe('image/webp')
  })

  it('takes JPEG instead of a type that the browser does not write, and PNG where pixels are transparent', async () => {
    await on.open({
      before: () => {
        const convert = OffscreenCanvas.prototype.convertToBlob
        OffscreenCanvas.prototype.convertToBlob = function (options) {
          return convert.call(this, options?.type === 'image/webp' ? { type: 'image/png' } : options)
        }
      },
    })
    const wish = { type: 'image/webp', worker: false } as const
    expect((await on.processed(await exifPhoto(1), wish)).type).toBe('image/jpeg')
    const transparent = await corners().ensureAlpha(0.5).png().toBuffer()
    expect((await on.processed(transparent, wish)).type).toBe('image/png')
  })

  it('leaves nothing but pixels where it shall always write', async () => {
    await on.open()
    const photo = await sharp(await exifPhoto(1))
      .withExif({ IFD0: { Copyright: 'somebody' } })
      .jpeg()
      .toBuffer()
    expect(photo.includes('somebody')).toBe(true)
    const clean = await on.processed(photo, { reencode: 'always' })
    expect(clean).toMatchObject({ kept: false, reencoded: true, width: 160 })
    expect(clean.bytes.includes('somebody')).toBe(false)
  })

  it('keeps every frame of an animation, whatever is asked for', async () => {
    await on.open()
    for (const format of ['gif', 'webp'] as const) {
      const moving = await animation(format)
      expect(await on.processed(moving, { maxWidth: 5, reencode: 'always' })).toMatchObject({
        kept: true,
        animated: true,
        width: 20,
        height: 10,
        type: `image/${format}`,
      })
    }
  })

  it('gives the hash that npm blurhash gives for the same pixels', async () => {
    await on.open()
    const image = await corners(32, 24).png().toBuffer()
    const { data } = await sharp(image).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    const pixels = new Uint8ClampedArray(data)
    expect((await on.processed(image)).blurhash).toBe(encode(pixels, 32, 24, 4, 4))
    const { blurhash } = await on.processed(image, { components: { x: 3, y: 2 } })
    expect(blurhash).toBe(encode(pixels, 32, 24, 3, 2))
  })

  it('keeps the photo as it is where the browser gives noise instead of pixels', async () => {
    await on.open({
      before: () => {
        const read = OffscreenCanvasRenderingContext2D.prototype.getImageData
        OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...where) {
          const image = Reflect.apply(read, this, where)
          crypto.getRandomValues(image.data)
          return image
        }
      },
    })
    const wish = { maxWidth: 50, worker: false }
    expect(await on.processed(await exifPhoto(6), wish)).toMatchObject({
      kept: true,
      blurhash: '',
      width: 160,
      height: 120,
    })
    expect(await on.failure(await exifPhoto(6), { ...wish, reencode: 'always' })).toMatchObject({
      code: 'unsupported',
    })
  })

  it('says what is wrong with what is no image, is damaged, or is not for this browser', async () => {
    await on.open()
    expect(await on.failure(Buffer.from('hello'))).toMatchObject({
      code: 'invalid-argument',
      message: /no image/,
    })
    expect(await on.failure(Buffer.alloc(0))).toMatchObject({ code: 'invalid-argument' })
    const png = await corners().png().toBuffer()
    expect(await on.failure(png.subarray(0, 40))).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('damaged'),
    })
    expect(await on.failure(Buffer.from('....ftypheic....'), {}, 'image/heic')).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('image/heic'),
    })
    expect(
      await on.failure(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), {}, 'image/svg+xml'),
    ).toMatchObject({
      code: 'unsupported',
    })
  })

  it('refuses what is too large before it decodes it', async () => {
    await on.open({
      before: () => {
        Reflect.set(window, 'createImageBitmap', () => Promise.reject(new Error('decoded')))
      },
    })
    const limits = { maxPixels: 10_000, worker: false }
    for (const format of ['jpeg', 'png', 'gif'] as const) {
      const image = await corners()[format]().toBuffer()
      expect(await on.failure(image, limits), format).toMatchObject({ code: 'too-large' })
      expect(await on.failure(image, { maxBytes: 100 })).toMatchObject({ code: 'too-large' })
    }
  })

  it('refuses options that are misspelt, out of range or at odds', async () => {
    await on.open()
    const photo = await exifPhoto(1)
    for (const options of [
      { maxwidth: 3 },
      { maxWidth: 0 },
      { maxPixels: Number.NaN },
      { quality: 85 },
      { type: 'image/gif' },
      { components: { x: 0, y: 4 } },
      { reencode: 'sometimes' },
      { reencode: 'never', maxWidth: 10 },
    ])
      expect(await on.failure(photo, options as ProcessImageOptions), JSON.stringify(options)).toMatchObject({
        code: 'invalid-argument',
      })
  })
})
