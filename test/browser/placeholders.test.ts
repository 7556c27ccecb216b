import { encode } from 'blurhash'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { blurhashToDataURL, decodeBlurhash, showBest } from '../../src/browser/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { bundled, type Library, type Pages, pages } from './library-page.ts'

declare const stowage: Library

/** Four corners, so that neither rows nor channels can be mixed up. */
const HASH = encode(
  Uint8ClampedArray.from({ length: 16 * 16 * 4 }, (_, at) => {
    const [x, y] = [Math.floor(at / 4) % 16, Math.floor(at / 64)]
    return [x * 16, y * 16, 128, 255][at % 4]!
  }),
  16,
  16,
  3,
  3,
)

describe('placeholders without a browser', () => {
  it('makes a data URL where there is no canvas, and none of an absent blurhash', () => {
    expect(blurhashToDataURL(HASH)).toMatch(/^data:image\/bmp;base64,Qk[\w+/]+=*$/)
    expect(blurhashToDataURL('')).toBe('')
  })

  it('refuses what is no blurhash', () => {
    expect(() => blurhashToDataURL('nonsense')).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
    expect(() => blurhashToDataURL(HASH, { width: 0 })).toThrow(/whole numbers/)
  })
})

describeWithTool('chromium', 'placeholders in Chromium', program => {
  let opened: Pages
  let page: Page
  let problems: string[]

  beforeAll(async () => {
    opened = await pages(program, await bundled())
  })
  afterAll(() => opened?.close())
  beforeEach(async () => {
    ;({ page, problems } = await opened.open())
  })
  afterEach(async () => {
    expect(problems).toEqual([])
    await page.context().close()
  })

  it.each([
    [32, 32],
    [5, 3],
  ])('shows the pixels of the hash, %i×%i, by URL and on a canvas', async (width, height) => {
    const [byUrl, drawn] = await page.evaluate(
      async ([hash, width, height]) => {
        const image = await stowage.loadImage(stowage.blurhashToDataURL(hash, { width, height }))
        const canvas = Object.assign(document.createElement('canvas'), { width, height })
        const context = canvas.getContext('2d')!
        context.drawImage(image, 0, 0)
        const byUrl = [...context.getImageData(0, 0, width, height).data]
        const other = stowage.drawBlurhash(hash, document.createElement('canvas'), { width, height })
        return [byUrl, [...other.getContext('2d')!.getImageData(0, 0, other.width, other.height).data]]
      },
      [HASH, width, height] as const,
    )
    const pixels = [...decodeBlurhash(HASH, width, height)]
    expect(byUrl).toEqual(pixels)
    expect(drawn).toEqual(pixels)
  })

  it('fails to load what is no image without its URL, and stops when it is told to', async () => {
    const failed = await page.evaluate(async () => {
      const stop = new AbortController()
      const aborted = stowage.loadImage('/secret-never-ends', { signal: stop.signal })
      stop.abort()
      return Promise.all(
        [stowage.loadImage('data:image/png,secret'), aborted].map(loading =>
          loading.then(
            () => ['loaded'],
            error => [error.code, error.message],
          ),
        ),
      )
    })
    expect(failed.map(([code]) => code)).toEqual(['unavailable', 'aborted'])
    expect(failed.flat().join()).not.toContain('secret')
  })
})

describe('showBest', () => {
  function pending() {
    let resolve!: (image: string) => void
    const promise = new Promise<string>(done => {
      resolve = done
    })
    return { promise, resolve }
  }

  /** Stages that come when they are told to. */
  function stages(count: number) {
    const made = Array.from({ length: count }, () => pending())
    return {
      made,
      begin: made.map(
        ({ promise }) =>
          () =>
            promise,
      ),
    }
  }

  it('shows each stage that is better than what is shown', async () => {
    const { made, begin } = stages(3)
    const shown: string[] = []
    const done = showBest(begin, image => shown.push(image))
    for (const [at, name] of ['placeholder', 'thumbnail', 'original'].entries()) made[at]!.resolve(name)
    await done
    expect(shown).toEqual(['placeholder', 'thumbnail', 'original'])
  })

  it('never replaces a loaded original by a placeholder that comes late', async () => {
    const { made, begin } = stages(3)
    const shown: string[] = []
    const dropped: string[] = []
    const done = showBest(begin, image => shown.push(image), { drop: image => dropped.push(image) })
    made[2]!.resolve('original')
    await done
    made[1]!.resolve('thumbnail')
    made[0]!.resolve('placeholder')
    await Promise.all(made.map(({ promise }) => promise))
    await new Promise(setImmediate)
    expect(shown).toEqual(['original'])
    expect(dropped).toEqual(['thumbnail', 'placeholder'])
  })

  it('shows at once what is there at once, and skips what is not there', () => {
    const shown: string[] = []
    void showBest([() => 'placeholder', () => undefined, () => new Promise<string>(() => {})], image =>
      shown.push(image),
    )
    expect(shown).toEqual(['placeholder'])
  })

  it('is content with what could be shown, and rejects with the failure of the best where nothing could', async () => {
    const shown: string[] = []
    const fails = (why: string) => () => Promise.reject(new Error(why))
    await showBest([() => 'placeholder', fails('gone')], image => shown.push(image))
    expect(shown).toEqual(['placeholder'])
    await expect(showBest([fails('bad'), fails('gone')], () => {})).rejects.toThrow('gone')
  })

  it('shows nothing more once it is ended', async () => {
    const { made, begin } = stages(2)
    const stop = new AbortController()
    const shown: string[] = []
    const dropped: string[] = []
    const { signal } = stop
    const done = showBest(begin, image => shown.push(image), { signal, drop: image => dropped.push(image) })
    stop.abort(new Error('left'))
    await expect(done).rejects.toThrow('left')
    made[1]!.resolve('original')
    await new Promise(setImmediate)
    expect([shown, dropped]).toEqual([[], ['original']])
  })
})
