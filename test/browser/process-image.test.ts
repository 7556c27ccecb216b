import sharp from 'sharp'
import { expect, it } from 'vitest'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { bundled, type Library, pages, sent } from './library-page.ts'
import { PhotoPage } from './photo-page.ts'
import { CORNERS, corners, cornersOf, exifPhoto } from './photos.ts'

declare const stowage: Library

/** A script that takes these away from a page. */
function without(...names: string[]): string {
  return names.map(name => `delete window.${name}`).join(';')
}

describeWithTool('chromium', 'processImage in Chromium', program => {
  const on = new PhotoPage(program)

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'turns a photo of EXIF orientation %i as it is seen',
    async orientation => {
      await on.open()
      const photo = await exifPhoto(orientation)
      expect(await cornersOf(await sharp(photo).autoOrient().toBuffer())).toEqual(CORNERS)
      const inWorker = await on.processed(photo)
      expect(on.workers()).toBe(1)
      expect(inWorker).toMatchObject({ type: 'image/jpeg', width: 160, height: 120, animated: false })
      expect(inWorker.reencoded).toBe(orientation !== 1)
      expect(await cornersOf(inWorker.bytes)).toEqual(CORNERS)
      expect((await sharp(inWorker.bytes).metadata()).orientation ?? 1).toBe(1)

      await on.page.evaluate(() => stowage.closeImages())
      const onPage = await on.processed(photo, { worker: false })
      expect(on.workers()).toBe(0)
      expect(onPage).toEqual(inWorker)
    },
  )

  it('gives the same on a canvas of the page, where there is neither OffscreenCanvas nor a worker', async () => {
    const photo = await exifPhoto(6, 1600, 1200)
    await on.open()
    const usual = await on.processed(photo, { maxWidth: 500 })
    await on.close()

    await on.open({ before: without('OffscreenCanvas', 'Worker') })
    expect(await on.page.evaluate(() => [typeof OffscreenCanvas, typeof Worker])).toEqual([
      'undefined',
      'undefined',
    ])
    expect(await on.processed(photo, { maxWidth: 500 })).toEqual(usual)
  })

  it('decodes by an element where there is no createImageBitmap, or one that knows no orientation', async () => {
    for (const before of [
      without('createImageBitmap'),
      'const usual = createImageBitmap; createImageBitmap = (file, options) => usual(file, { imageOrientation: options.imageOrientation === "from-image" ? "unknown" : "none" })',
    ]) {
      await on.open({ before })
      // Browsers scale an element's image in a way of their own.
      const image = await on.processed(await exifPhoto(6, 1600, 1200), { maxWidth: 500, worker: false })
      expect(image).toMatchObject({ width: 500, height: 375, type: 'image/jpeg' })
      expect(image.blurhash).toHaveLength(36)
      expect(await cornersOf(image.bytes)).toEqual(CORNERS)
      expect(await on.failure(Buffer.from('hello'), { worker: false })).toMatchObject({
        code: 'invalid-argument',
      })
      await on.close()
    }
    await on.open()
  })

  it('goes on without a worker where the policy forbids it, with the same result', async () => {
    const photo = await exifPhoto(8)
    await on.open()
    const usual = await on.processed(photo)
    await on.close()

    await on.open({ policy: "default-src 'none'; script-src 'self'; img-src data:" })
    expect(await on.processed(photo)).toEqual(usual)
    expect(on.workers()).toBe(0)
    // The browser itself tells of what its policy stopped, and of nothing else.
    expect(on.problems.filter(problem => !/Content Security Policy/.test(problem))).toEqual([])
    on.problems.length = 0
    expect(await on.processed(photo)).toEqual(usual)
    expect(on.problems).toEqual([])
  })

  it('takes a worker of its own under a policy that allows no other', async () => {
    const photo = await exifPhoto(3)
    await on.open({ policy: "default-src 'none'; script-src 'self'; worker-src 'self'; img-src data:" })
    const hash = await on.page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const images = stowage.imageProcessor({
        worker: () => new Worker('/own-worker.js', { type: 'module' }),
      })
      return (await images.process(new Blob([bytes]))).blurhash
    }, sent(photo))
    expect(on.workers()).toBe(1)
    expect(hash).toBe((await on.processed(photo, { worker: false })).blurhash)
  })

  it('goes on without a worker where a bundler has put something of its own into the code', async () => {
    const photo = await exifPhoto(5)
    await on.open()
    const usual = await on.processed(photo)
    await on.close()

    const changed = await pages(program, await bundled({ keepNames: true }))
    ;({ page: on.page, problems: on.problems } = await changed.open())
    expect(await on.processed(photo)).toEqual(usual)
    expect(on.workers()).toBe(0)
    expect(on.problems).toEqual([])
    await changed.close()
    await on.open()
  })

  it('uses one worker for many photos, one at a time, and ends it when it is idle', async () => {
    await on.open()
    const photo = await exifPhoto(6)
    const hashes = await on.page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const images = stowage.imageProcessor({ idleMs: 100 })
      const all = await Promise.all(Array.from({ length: 20 }, () => images.process(new Blob([bytes]))))
      return all.map(({ blurhash }) => blurhash)
    }, sent(photo))
    expect(new Set(hashes).size).toBe(1)
    expect(on.workers()).toBe(1)
    await expect.poll(() => on.workers()).toBe(0)
  })

  it('stops at once when it is told to, and goes on with the next photo', async () => {
    await on.open()
    const photo = await corners(4000, 3000).jpeg().toBuffer()
    const ended = await on.page.evaluate(async base64 => {
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
    await expect.poll(() => on.workers()).toBe(0)
  })

  it('ends what is under way when it is closed', async () => {
    await on.open()
    const photo = await exifPhoto(6)
    const codes = await on.page.evaluate(async base64 => {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      const jobs = [1, 2, 3].map(() => stowage.processImage(new Blob([bytes])))
      stowage.closeImages()
      const ended = await Promise.all(jobs.map(job => job.catch(error => error.code)))
      return [...ended, (await stowage.processImage(new Blob([bytes]))).reencoded]
    }, sent(photo))
    expect(codes).toEqual(['aborted', 'aborted', 'aborted', true])
  })
})
