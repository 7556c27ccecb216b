import type { Route } from 'playwright-core'
import { expect, it } from 'vitest'
import {
  bringPhoto,
  faint,
  focusedName,
  outlineOf,
  pixelsOf,
  placeholderOf,
  placesOf,
  shownImage,
  twoFrames,
  unnamed,
  withoutWebGl,
} from './image-pipeline-in-page.js'
import { actionsOn, DESK, describeOnPage, PHONE } from './image-pipeline-on-page.ts'
import { bytesIn, photo, Visitor } from './image-pipeline-server.ts'

describeOnPage('the page of image-pipeline', at => {
  const { choose, feed, file, fits, hold, loaded, open, said, shows, tile } = actionsOn(at)

  it('turns a photo upright, shows its blurhash before it is sent, then the photo', async () => {
    await open()
    await at.page.getByText('No photos yet').waitFor()
    const release = await hold(/\/files\/.*insert_|\.stowage/)
    await choose(file('two-halves.jpg', await photo({ width: 1200, height: 800, orientation: 6 })))
    const sending = at.page.getByRole('img', { name: 'Placeholder of two-halves.jpg' })
    await sending.waitFor()
    const placeholder = await sending.evaluate(placeholderOf)
    expect(placeholder.image).toMatch(/^url\("data:image\/\w+;base64,/)
    expect(placeholder.ratio).toBeCloseTo(800 / 1200, 1)
    expect(bytesIn(at.folder)).toHaveLength(0)
    release()
    await loaded('two halves')
    await said('two-halves.jpg is uploaded.')
    const shown = await tile('two halves').locator('img').evaluate(pixelsOf)
    expect(shown).toMatchObject({ size: [400, 600], isTopRed: true })
    const [image] = await feed()
    expect(image).toMatchObject({ width: 800, height: 1200, thumbUrl: shown.src })
  })

  it('computes the same in the worker and on the main thread', async () => {
    const path = file('same.jpg', await photo({ width: 900, height: 600, orientation: 8 }))
    const hints: unknown[] = []
    await at.page.route('**/images', async route => {
      hints.push(route.request().postDataJSON().hint)
      await route.continue()
    })
    const workers: string[] = []
    at.page.on('worker', worker => workers.push(worker.url()))
    await open()
    await choose(path)
    await loaded('same')
    expect(workers).toEqual([`${at.server.url}/assets/image-worker.js`])
    await at.page.addInitScript('delete globalThis.OffscreenCanvas; delete globalThis.Worker')
    await open()
    await choose(path)
    await at.page.locator('img.loaded').nth(1).waitFor()
    expect(workers).toHaveLength(1)
    expect(hints).toHaveLength(2)
    expect(hints[1]).toEqual(hints[0])
    expect(hints[0]).toMatchObject({ width: 600, height: 900, blurhash: expect.stringMatching(/^.{36}$/) })
  })

  it('tries a failed upload again, by itself and when it is told to', async () => {
    at.expected = /Failed to load resource/
    await open()
    let tries = 0
    let failing = 100
    await at.page.route(/\/files\//, (route: Route) => {
      if (route.request().method() !== 'PUT') return route.continue()
      tries++
      return tries <= failing
        ? route.fulfill({ status: 503, headers: { 'retry-after': '0' } })
        : route.continue()
    })
    await choose(file('lake.jpg', await photo()))
    const retry = at.page.getByRole('button', { name: 'Try lake.jpg again' })
    await retry.waitFor()
    expect(tries).toBeGreaterThan(1)
    await said('lake.jpg was not uploaded: The storage was not reached.')
    failing = tries + 1
    await retry.click()
    await loaded('lake')
    expect(tries).toBe(failing + 1)
    expect((await feed()).map(({ alt }) => alt)).toEqual(['lake'])
  })

  it('cancels an upload and leaves nothing of it', async () => {
    await open()
    await hold(/\/files\//)
    await choose(file('lake.jpg', await photo()))
    await at.page.getByRole('button', { name: 'Cancel lake.jpg' }).click()
    await said('lake.jpg is not uploaded.')
    await at.page.getByText('No photos yet').waitFor()
    expect(await feed()).toEqual([])
  })

  it('shows placeholder, thumbnail and original on the canvas, in this order', async () => {
    await open()
    await choose(file('lake.jpg', await photo({ width: 1200, height: 800 })))
    await loaded('lake')
    const thumb = await hold(/rs:fit:400:0/)
    const original = await hold(/\/imgproxy\/[\w-]+\/(?:exp:\d+\/)?plain/)
    await at.page.reload()
    await tile('lake').getByRole('link').click()
    await shows('placeholder')
    const canvas = at.page.locator('#stage canvas')
    expect(await canvas.getAttribute('aria-label')).toBe('lake')
    const before = await canvas.boundingBox()
    thumb()
    await shows('thumb')
    original()
    await shows('original')
    expect(await canvas.boundingBox()).toEqual(before)
  })

  it('never covers a loaded original by a placeholder that comes late', async () => {
    await open()
    await choose(file('lake.jpg', await photo()))
    await loaded('lake')
    // Without a blurhash the placeholder is an image, too, and it is the last that comes.
    await at.page.route(/\/versions\//, async route => {
      const answer = await (await route.fetch()).json()
      for (const image of answer.images) image.blurhash = ''
      await route.fulfill({ json: answer })
    })
    const late = await hold(/rs:fit:20:0/)
    await tile('lake').getByRole('link').click()
    await shows('original')
    const arrived = at.page.waitForResponse(/rs:fit:20:0/)
    late()
    await (await arrived).finished()
    // Two frames later it has been decoded, and would be shown.
    await at.page.evaluate(twoFrames)
    expect(await at.page.locator('#stage').getAttribute('data-shows')).toBe('original')
  })

  it('shows the same without WebGL, as an image', async () => {
    await at.page.addInitScript(withoutWebGl)
    await open()
    await choose(file('lake.jpg', await photo({ width: 1200, height: 800 })))
    await loaded('lake')
    await tile('lake').getByRole('link').click()
    await shows('original')
    const image = at.page.locator('#stage').getByAltText('lake')
    expect(await image.evaluate(pixelsOf)).toMatchObject({ size: [1200, 800] })
    await at.page.getByRole('button', { name: 'Zoom in' }).click()
    expect(await image.getAttribute('style')).toContain('scale(1.4)')
    expect(await at.page.getByRole('button', { name: 'Mono' }).count()).toBe(0)
  })

  it('gets the same image URLs at the second load, and the cache had them', async () => {
    await open()
    await choose(file('a.jpg', await photo()), file('b.jpg', await photo({ width: 300 })))
    await loaded('a')
    await loaded('b')
    const urls = () =>
      at.page.locator('.tile img').evaluateAll(images => images.map(image => image.getAttribute('src')))
    await at.page.reload()
    await loaded('a')
    const first = await urls()
    const feed = () => at.page.evaluate(() => fetch('/feed').then(answer => answer.text()))
    const all = await feed()
    const visitor = new Visitor(at.server.url)
    const hits = await visitor.metric('signed_url_batch', 'hit')
    await at.page.reload()
    await loaded('a')
    expect(await urls()).toEqual(first)
    expect(first).toHaveLength(2)
    expect(await visitor.metric('signed_url_batch', 'hit')).toBe(hits + 2)
    // Signed URLs of the originals, too, to the last letter.
    expect(await feed()).toBe(all)
    expect(all).toContain('signature=')
  })

  it('saves a look as a version, shares it, and deletes it: then its URLs are dead', async () => {
    await open()
    await choose(file('lake.jpg', await photo()))
    await loaded('lake')
    await tile('lake').getByRole('link').click()
    await shows('original')
    await at.page.getByRole('button', { name: 'Mono' }).click()
    await at.page.getByRole('button', { name: 'Save as a version' }).click()
    await at.page.getByText('Generated · 600 × 400 · version 2 of 2').waitFor()
    await shows('original')
    await at.page.getByRole('button', { name: 'Share in the feed' }).click()
    await said('It is in the feed now.')
    const { url, thumbUrl } = await at.page.evaluate(shownImage)
    for (const address of [url, thumbUrl]) expect((await fetch(address)).status).toBe(200)
    await at.page.getByRole('button', { name: 'Delete' }).click()
    await at.page.getByRole('button', { name: 'Keep it' }).click()
    await at.page.getByRole('button', { name: 'Delete' }).click()
    await at.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await at.page.getByText('Original · 600 × 400', { exact: true }).waitFor()
    for (const address of [url, thumbUrl]) expect((await fetch(address)).status).toBe(404)
  })

  it('is uploaded to, walked and deleted from by the keyboard alone', async () => {
    await open()
    await at.page.getByText('No photos yet').waitFor()
    const onto = async (name: string, most = 30) => {
      for (let steps = 0; steps < most; steps++) {
        await at.page.keyboard.press('Tab')
        if ((await at.page.evaluate(focusedName)).includes(name)) return
      }
      throw new Error(`the keyboard does not reach ${name}`)
    }
    await onto('Choose photos')
    const ring = await at.page.locator('#drop').evaluate(outlineOf)
    expect(ring).toBe('solid')
    const choosing = at.page.waitForEvent('filechooser')
    // By its answer the page's process knows that the dialog is not to be opened: a key takes another way and may be faster.
    await at.page.evaluate(focusedName)
    await at.page.keyboard.press('Enter')
    await (await choosing).setFiles(file('lake.jpg', await photo()))
    await loaded('lake')
    await onto('lake')
    await at.page.keyboard.press('Enter')
    await shows('original')
    await onto('Description')
    await at.page.keyboard.press('Control+A')
    await at.page.keyboard.type('Two halves')
    await onto('Save description')
    await at.page.keyboard.press('Enter')
    await said('The description is saved.')
    expect(await at.page.locator('#stage canvas').getAttribute('aria-label')).toBe('Two halves')
    await onto('Delete')
    await at.page.keyboard.press('Enter')
    expect(await at.page.evaluate(focusedName)).toContain('Keep it')
    await at.page.keyboard.press('Tab')
    await at.page.keyboard.press('Enter')
    await said('The photo is deleted.')
    await at.page.getByText('No photos yet').waitFor()
    expect(bytesIn(at.folder)).toHaveLength(0)
  })

  it('takes dropped and pasted photos, and says what is none', async () => {
    await open()
    const base64 = (await photo()).toString('base64')
    await at.page.evaluate(bringPhoto, { kind: 'drop', name: 'dropped.jpg', base64 })
    await at.page.evaluate(bringPhoto, { kind: 'paste', name: 'pasted.jpg', base64 })
    await loaded('dropped')
    await loaded('pasted')
    await choose(file('notes.jpg', Buffer.from('text')), file('page.html', Buffer.from('<p>')))
    const problems = at.page.getByRole('alert').getByRole('listitem')
    await problems.nth(1).waitFor()
    expect((await problems.allTextContents()).sort()).toEqual([
      'notes.jpg: This is no photo, or it is damaged.Dismiss',
      'page.html: This is no photo that can be shown here.Dismiss',
    ])
  })

  for (const [name, viewport] of [
    ['a phone', PHONE],
    ['a desk', DESK],
  ] as const)
    it(`fits ${name}, moves nothing when images come, and names everything`, async () => {
      await at.page.setViewportSize(viewport)
      await open()
      const sizes = [
        [1200, 300],
        [300, 1200],
        [600, 600],
        [640, 480],
      ]
      await choose(
        ...(await Promise.all(
          sizes.map(async ([width, height], index) => file(`p${index}.jpg`, await photo({ width, height }))),
        )),
      )
      for (const index of sizes.keys()) await loaded(`p${index}`)
      const release = await hold(/\/imgproxy\//)
      await at.page.reload()
      await at.page.locator('.tile').nth(3).waitFor()
      const places = () => at.page.locator('.tile').evaluateAll(placesOf)
      const before = await places()
      release()
      for (const index of sizes.keys()) await loaded(`p${index}`)
      expect(await places()).toEqual(before)
      expect(await fits()).toBe(true)
      expect(await at.page.evaluate(unnamed)).toEqual([])
      await tile('p0').getByRole('link').click()
      await shows('original')
      expect(await fits()).toBe(true)
      expect(await at.page.evaluate(unnamed)).toEqual([])
      expect(await at.page.locator('h1:visible').count()).toBe(1)
    })

  for (const colorScheme of ['light', 'dark'] as const)
    it(`has enough contrast in the ${colorScheme}`, async () => {
      await at.page.emulateMedia({ colorScheme })
      await open()
      await choose(file('lake.jpg', await photo()))
      await loaded('lake')
      expect(await at.page.evaluate(faint)).toEqual([])
      await tile('lake').getByRole('link').click()
      await shows('original')
      expect(await at.page.evaluate(faint)).toEqual([])
    })
})
