import { encode } from 'blurhash'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { blurhashToDataURL, decodeBlurhash } from '../../src/browser/index.ts'
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
    expect(() => blurhashToDataURL(HASH, { width: 0 })).toThrow(/width, height/)
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
        const image = new Image()
        image.src = stowage.blurhashToDataURL(hash, { width, height })
        await image.decode()
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
})
