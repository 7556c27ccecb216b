import { expect, it } from 'vitest'
import { focusedName, placesOf, twoFrames } from './image-pipeline-in-page.js'
import { actionsOn, describeOnPage, PHONE } from './image-pipeline-on-page.ts'
import { photo } from './image-pipeline-server.ts'

describeOnPage('the page of image-pipeline, on a slow connection', at => {
  const { choose, feed, file, hold, loaded, open, shows, tile } = actionsOn(at)

  it('takes a photo that is chosen before the server has said what it takes', async () => {
    const release = await hold(/\/about$/)
    await open()
    await choose(file('lake.jpg', await photo()))
    release()
    await loaded('lake')
    expect(await at.page.getByRole('alert').getByRole('listitem').count()).toBe(0)
  })

  it('shows a photo once that is uploaded while the feed is on its way', async () => {
    await open()
    await choose(file('early.jpg', await photo()))
    await loaded('early')
    let release!: () => void
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    // What the server says once the upload is there.
    await at.page.route(/\/feed$/, async route => {
      await released
      await route.continue()
    })
    await at.page.reload()
    await choose(file('late.jpg', await photo()))
    await loaded('late')
    release()
    await loaded('early')
    expect(await at.page.locator('.tile').count()).toBe(2)
  })

  it('leaves the keyboard where it is when the original comes', async () => {
    await open()
    await choose(file('lake.jpg', await photo()))
    await loaded('lake')
    const release = await hold(/\/imgproxy\/[\w-]+\/(?:exp:\d+\/)?plain/)
    await tile('lake').getByRole('link').click()
    await shows('thumb')
    await at.page.getByLabel('Description').fill('Two halves')
    release()
    await shows('original')
    expect(await at.page.evaluate(focusedName)).toContain('Description')
    expect(await at.page.getByLabel('Description').inputValue()).toBe('Two halves')
  })

  it('stays in the feed where a photo comes after one has gone back', async () => {
    await open()
    await choose(file('lake.jpg', await photo()))
    await loaded('lake')
    const release = await hold(/\/versions\//)
    await tile('lake').getByRole('link').click()
    await at.page.locator('#thread-view').waitFor()
    await at.page.goBack()
    await loaded('lake')
    const answered = at.page.waitForResponse(/\/versions\//)
    release()
    await (await answered).finished()
    // What is asked for after it is answered after it.
    await feed()
    await at.page.evaluate(twoFrames)
    expect(new URL(at.page.url()).pathname).toBe('/')
    expect(await at.page.title()).toBe('Image pipeline')
    expect(await at.page.locator('.tile').count()).toBe(1)
  })

  it('says nothing of an original that nobody waits for any more', async () => {
    await open()
    await choose(file('lake.jpg', await photo()))
    await loaded('lake')
    await tile('lake').getByRole('link').click()
    await shows('original')
    await at.page.getByRole('button', { name: 'Mono' }).click()
    await at.page.getByRole('button', { name: 'Save as a version' }).click()
    await at.page.getByText('version 2 of 2').waitFor()
    await shows('original')
    const release = await hold(/\/imgproxy\/[\w-]+\/(?:exp:\d+\/)?plain/)
    await at.page.reload()
    await shows('thumb')
    await at.page.getByRole('button', { name: 'Version 1' }).click()
    await at.page.getByText('version 1 of 2').waitFor()
    release()
    await shows('original')
    expect(await at.page.getByRole('alert').getByRole('listitem').count()).toBe(0)
  })

  it('asks again for a thumbnail that the image server was too busy for', async () => {
    at.expected = /503 .*rs:fit:400:0/
    let asked = 0
    await at.page.route(/rs:fit:400:0/, route =>
      asked++ === 0 ? route.fulfill({ status: 503 }) : route.continue(),
    )
    await open()
    await choose(file('lake.jpg', await photo()))
    await loaded('lake')
    expect(asked).toBe(2)
  })

  it('has rows of one height on a phone, also while photos are sent', async () => {
    await at.page.setViewportSize(PHONE)
    await open()
    const heights = async () => {
      const rows = new Map<number, Set<number>>()
      for (const [, y, , height] of await at.page.locator('.tile .photo').evaluateAll(placesOf))
        rows.set(y!, (rows.get(y!) ?? new Set()).add(height!))
      return [...rows.values()].map(row => Math.max(...row) - Math.min(...row))
    }
    const sizes = { square: [500, 500], thin: [300, 1300], tall: [900, 1400], wide: [1500, 800] }
    for (const [name, [width, height]] of Object.entries(sizes)) {
      await choose(file(`${name}.jpg`, await photo({ width, height })))
      await loaded(name)
    }
    expect((await heights()).length).toBeLessThan(4)
    expect(Math.max(...(await heights()))).toBeLessThanOrEqual(1)
    await hold(/\/files\/.*insert_|\.stowage/)
    await choose(file('again.jpg', await photo({ width: 900, height: 1400 })))
    await at.page.locator('.tile.upload').waitFor()
    expect(Math.max(...(await heights()))).toBeLessThanOrEqual(1)
  })
})
