import { encode } from 'blurhash'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { ProcessImageOptions } from '../../src/browser/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { bundled, type Library, type Pages, pages, sent } from './library-page.ts'
import { animation, CORNERS, corners, cornersOf, exifPhoto } from './photos.ts'

declare const stowage: Library

/** A script that takes these away from a page. */
function without(...names: string[]): string {
  return names.map(name => `delete window.${name}`).join(';')
}

describeWithTool('chromium', 'processImage in Chromium', program => {
  let opened: Pages
  let page: Page
  let problems: string[]

  beforeAll(async () => {
    opened = await pages(program, await bundled())
  })
  afterAll(() => opened?.close())
  afterEach(async () => {
    expect(problems).toEqual([])
    await page?.context().close()
  })

  async function open(...options: Parameters<Pages['open']>): Promise<void> {
    const { page: next, problems: found } = await opened.open(...options)
    page = next
    problems = found
  }

  /** Processes bytes on the page; `kept` where the very same object came back. */
  function processed(image: Uint8Array, options: ProcessImageOptions = {}, type = '') {
    return page
      .evaluate(
        async ([base64, type, options]) => {
          const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
          const file = new File([bytes], 'photo', { type })
          const { blob, ...rest } = await stowage.processImage(file, options)
          const base = btoa(
            Array.from(new Uint8Array(await blob.arrayBuffer()), byte => String.fromCharCode(byte)).join(''),
          )
          return { ...rest, base, kept: blob === file }
        },
        [sent(image), type, options] as const,
      )
      .then(({ base, ...rest }) => ({ ...rest, bytes: Buffer.from(base, 'base64') }))
  }

  /** The code and message that processing fails with. */
  function failure(image: Uint8Array, options: ProcessImageOptions = {}, type = '') {
    return page.evaluate(
      async ([base64, type, options]) => {
        const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
        try {
          await stowage.processImage(new Blob([bytes], { type }), options)
        } catch (error) {
          if (stowage.isStorageError(error)) return { code: error.code, message: error.message }
          throw error
        }
      },
      [sent(image), type, options] as const,
    )
  }

  const workers = () => page.workers().length

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'turns a photo of EXIF orientation %i as it is seen',
    async orientation => {
      await open()
      const photo = await exifPhoto(orientation)
      expect(await cornersOf(await sharp(photo).autoOrient().toBuffer())).toEqual(CORNERS)
      const inWorker = await processed(photo)
      expect(workers()).toBe(1)
      expect(inWorker).toMatchObject({ type: 'image/jpeg', width: 160, height: 120, animated: false })
      expect(inWorker.reencoded).toBe(orientation !== 1)
      expect(await cornersOf(inWorker.bytes)).toEqual(CORNERS)
      expect((await sharp(inWorker.bytes).metadata()).orientation ?? 1).toBe(1)

      await page.evaluate(() => stowage.closeImages())
      const onPage = await processed(photo, { worker: false })
      expect(workers()).toBe(0)
      expect(onPage).toEqual(inWorker)
    },
  )

  it('gives the same on a canvas of the page, where there is neither OffscreenCanvas nor a worker', async () => {
    const photo = await exifPhoto(6, 1600, 1200)
    await open()
    const usual = await processed(photo, { maxWidth: 500 })
    await page.context().close()

    await open({ before: without('OffscreenCanvas', 'Worker') })
    expect(await page.evaluate(() => [typeof OffscreenCanvas, typeof Worker])).toEqual([
      'undefined',
      'undefined',
    ])
    expect(await processed(photo, { maxWidth: 500 })).toEqual(usual)
  })

  it('decodes by an element where there is no createImageBitmap, or one that knows no orientation', async () => {
    for (const before of [
      without('createImageBitmap'),
      'const usual = createImageBitmap; createImageBitmap = (file, options) => usual(file, { imageOrientation: options.imageOrientation === "from-image" ? "unknown" : "none" })',
    ]) {
      await open({ before })
      // Browsers scale an element's image in a way of their own.
      const image = await processed(await exifPhoto(6, 1600, 1200), { maxWidth: 500, worker: false })
      expect(image).toMatchObject({ width: 500, height: 375, type: 'image/jpeg' })
      expect(image.blurhash).toHaveLength(36)
      expect(await cornersOf(image.bytes)).toEqual(CORNERS)
      expect(await failure(Buffer.from('hello'), { worker: false })).toMatchObject({
        code: 'invalid-argument',
      })
      await page.context().close()
    }
    await open()
  })

  it('goes on without a worker where the policy forbids it, with the same result', async () => {
    const photo = await exifPhoto(8)
    await open()
    const usual = await processed(photo)
    await page.context().close()

    await open({ policy: "default-src 'none'; script-src 'self'; img-src data:" })
    expect(await processed(photo)).toEqual(usual)
    expect(workers()).toBe(0)
    // The browser itself tells of what its policy stopped, and of nothing else.
    expect(problems.filter(problem => !/Content Security Policy/.test(problem))).toEqual([])
    problems.length = 0
    expect(await processed(photo)).toEqual(usual)
    expect(problems).toEqual([])
  })

  it('takes a worker of its own under a policy that allows no other', async () => {
    const photo = await exifPhoto(3)
    await open({ policy: "default-src 'none'; script-src 'self'; worker-src 'self'; img-src data:" })
    const hash = await page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const images = stowage.imageProcessor({
        worker: () => new Worker('/own-worker.js', { type: 'module' }),
      })
      return (await images.process(new Blob([bytes]))).blurhash
    }, sent(photo))
    expect(workers()).toBe(1)
    expect(hash).toBe((await processed(photo, { worker: false })).blurhash)
  })

  it('goes on without a worker where a bundler has put something of its own into the code', async () => {
    const photo = await exifPhoto(5)
    await open()
    const usual = await processed(photo)
    await page.context().close()

    const changed = await pages(program, await bundled({ keepNames: true }))
    ;({ page, problems } = await changed.open())
    expect(await processed(photo)).toEqual(usual)
    expect(workers()).toBe(0)
    expect(problems).toEqual([])
    await changed.close()
    await open()
  })

  it('hands back the very file that needs no change, whatever is in it', async () => {
    await open()
    const photo = await exifPhoto(1)
    expect(await processed(photo, { maxWidth: 160, maxHeight: 5000 })).toMatchObject({
      kept: true,
      reencoded: false,
    })
    expect(await processed(photo, { type: 'image/jpeg' })).toMatchObject({ kept: true })
    expect(await processed(await exifPhoto(6), { reencode: 'never' })).toMatchObject({
      kept: true,
      width: 160,
      height: 120,
    })
    const transparent = await corners().ensureAlpha(0.5).png().toBuffer()
    expect(await processed(transparent)).toMatchObject({ kept: true, type: 'image/png' })
  })

  it('shrinks what is larger than wished, keeps its ratio, and enlarges nothing', async () => {
    await open()
    const photo = await exifPhoto(6, 1000, 700)
    const small = await processed(photo, { maxWidth: 400, maxHeight: 400 })
    expect(small).toMatchObject({ width: 400, height: 280, reencoded: true, type: 'image/jpeg' })
    expect(await sharp(small.bytes).metadata()).toMatchObject({ width: 400, height: 280, format: 'jpeg' })
    expect(await cornersOf(small.bytes)).toEqual(CORNERS)
    const same = await processed(photo, { maxWidth: 4000 })
    expect(same).toMatchObject({ width: 1000, height: 700 })
    expect(same.blurhash).toBe(small.blurhash)
  })

  it('writes the type that is asked for, white under what was transparent where JPEG has none', async () => {
    await open()
    const transparent = await sharp({
      create: { width: 40, height: 40, channels: 4, background: '#00000000' },
    })
      .png()
      .toBuffer()
    const jpeg = await processed(transparent, { type: 'image/jpeg' })
    expect(jpeg.type).toBe('image/jpeg')
    expect([...(await sharp(jpeg.bytes).raw().toBuffer()).subarray(0, 3)]).toEqual([255, 255, 255])
    const webp = await processed(await exifPhoto(1), { type: 'image/webp', quality: 0.5 })
    expect((await sharp(webp.bytes).metadata()).format).toBe('webp')
    expect(webp.type).toBe('image/webp')
  })

  it('takes JPEG instead of a type that the browser does not write, and PNG where pixels are transparent', async () => {
    await open({
      before: () => {
        const convert = OffscreenCanvas.prototype.convertToBlob
        OffscreenCanvas.prototype.convertToBlob = function (options) {
          return convert.call(this, options?.type === 'image/webp' ? { type: 'image/png' } : options)
        }
      },
    })
    const wish = { type: 'image/webp', worker: false } as const
    expect((await processed(await exifPhoto(1), wish)).type).toBe('image/jpeg')
    const transparent = await corners().ensureAlpha(0.5).png().toBuffer()
    expect((await processed(transparent, wish)).type).toBe('image/png')
  })

  it('leaves nothing but pixels where it shall always write', async () => {
    await open()
    const photo = await sharp(await exifPhoto(1))
      .withExif({ IFD0: { Copyright: 'somebody' } })
      .jpeg()
      .toBuffer()
    expect(photo.includes('somebody')).toBe(true)
    const clean = await processed(photo, { reencode: 'always' })
    expect(clean).toMatchObject({ kept: false, reencoded: true, width: 160 })
    expect(clean.bytes.includes('somebody')).toBe(false)
  })

  it('keeps every frame of an animation, whatever is asked for', async () => {
    await open()
    for (const format of ['gif', 'webp'] as const) {
      const moving = await animation(format)
      expect(await processed(moving, { maxWidth: 5, reencode: 'always' })).toMatchObject({
        kept: true,
        animated: true,
        width: 20,
        height: 10,
        type: `image/${format}`,
      })
    }
  })

  it('gives the hash that npm blurhash gives for the same pixels', async () => {
    await open()
    const image = await corners(32, 24).png().toBuffer()
    const { data } = await sharp(image).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    const pixels = new Uint8ClampedArray(data)
    expect((await processed(image)).blurhash).toBe(encode(pixels, 32, 24, 4, 4))
    const { blurhash } = await processed(image, { components: { x: 3, y: 2 } })
    expect(blurhash).toBe(encode(pixels, 32, 24, 3, 2))
  })

  it('keeps the photo as it is where the browser gives noise instead of pixels', async () => {
    await open({
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
    expect(await processed(await exifPhoto(6), wish)).toMatchObject({
      kept: true,
      blurhash: '',
      width: 160,
      height: 120,
    })
    expect(await failure(await exifPhoto(6), { ...wish, reencode: 'always' })).toMatchObject({
      code: 'unsupported',
    })
  })

  it('says what is wrong with what is no image, is damaged, or is not for this browser', async () => {
    await open()
    expect(await failure(Buffer.from('hello'))).toMatchObject({
      code: 'invalid-argument',
      message: /no image/,
    })
    expect(await failure(Buffer.alloc(0))).toMatchObject({ code: 'invalid-argument' })
    const png = await corners().png().toBuffer()
    expect(await failure(png.subarray(0, 40))).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('damaged'),
    })
    expect(await failure(Buffer.from('....ftypheic....'), {}, 'image/heic')).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('image/heic'),
    })
    expect(
      await failure(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), {}, 'image/svg+xml'),
    ).toMatchObject({
      code: 'unsupported',
    })
  })

  it('refuses what is too large before it decodes it', async () => {
    await open({
      before: () => {
        Reflect.set(window, 'createImageBitmap', () => Promise.reject(new Error('decoded')))
      },
    })
    const limits = { maxPixels: 10_000, worker: false }
    for (const format of ['jpeg', 'png', 'gif'] as const) {
      const image = await corners()[format]().toBuffer()
      expect(await failure(image, limits), format).toMatchObject({ code: 'too-large' })
      expect(await failure(image, { maxBytes: 100 })).toMatchObject({ code: 'too-large' })
    }
  })

  it('refuses options that are misspelt, out of range or at odds', async () => {
    await open()
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
      expect(await failure(photo, options as ProcessImageOptions), JSON.stringify(options)).toMatchObject({
        code: 'invalid-argument',
      })
  })

  it('uses one worker for many photos, one at a time, and ends it when it is idle', async () => {
    await open()
    const photo = await exifPhoto(6)
    const hashes = await page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const images = stowage.imageProcessor({ idleMs: 100 })
      const all = await Promise.all(Array.from({ length: 20 }, () => images.process(new Blob([bytes]))))
      return all.map(({ blurhash }) => blurhash)
    }, sent(photo))
    expect(new Set(hashes).size).toBe(1)
    expect(workers()).toBe(1)
    await expect.poll(workers).toBe(0)
  })

  it('stops at once when it is told to, and goes on with the next photo', async () => {
    await open()
    const photo = await corners(4000, 3000).jpeg().toBuffer()
    const ended = await page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const images = stowage.imageProcessor()
      await images.process(new Blob([bytes]), { maxWidth: 10 })
      const stop = new AbortController()
      const { signal } = stop
      const running = images.process(new Blob([bytes]), { reencode: 'always', type: 'image/png', signal })
      const waiting = images.process(new Blob([bytes]), { signal })
      const after = images.process(new Blob([bytes]), { maxWidth: 10 })
      await new Promise(resolve => setTimeout(resolve, 20))
      stop.abort()
      const codes = await Promise.all(
        [running, waiting, images.process(new Blob([bytes]), { signal })].map(job =>
          job.then(
            () => 'done',
            error => error.code,
          ),
        ),
      )
      const { width } = await after
      images.close()
      return { codes, width }
    }, sent(photo))
    expect(ended).toEqual({ codes: ['aborted', 'aborted', 'aborted'], width: 10 })
    await expect.poll(workers).toBe(0)
  })

  it('ends what is under way when it is closed', async () => {
    await open()
    const photo = await exifPhoto(6)
    const codes = await page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const jobs = [1, 2, 3].map(() => stowage.processImage(new Blob([bytes])))
      stowage.closeImages()
      const ended = await Promise.all(jobs.map(job => job.catch(error => error.code)))
      return [...ended, (await stowage.processImage(new Blob([bytes]))).reencoded]
    }, sent(photo))
    expect(codes).toEqual(['aborted', 'aborted', 'aborted', true])
  })
})
