import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { photo, sourceFiles } from './recorded-sources.ts'
import { localUrl, pixelOf, plainImage, reasonOf, servedImages } from './signed-urls.ts'

describe('an image that devImages makes', () => {
  it('stands as the camera was held before anything else is done to it', async () => {
    // Seen upright it is 40 wide and 60 high, with red on top.
    const top = { create: { width: 30, height: 40, channels: 3 as const, background: 'red' } }
    const turned = plainImage('blue').composite([{ input: top, left: 0, top: 0 }])
    const { ask } = await servedImages({ 'a.jpg': turned.withMetadata({ orientation: 6 }) })
    const image = await ask(localUrl('c:0:30:no', 'a.jpg', 'png'))
    expect(await pixelOf(image.clone(), 20, 25)).toEqual([255, 0, 0])
    expect(await sharp(await image.arrayBuffer()).metadata()).toMatchObject({ width: 40, height: 30 })
    const asStored = await ask(localUrl('ar:0', 'a.jpg', 'png'))
    expect(await sharp(await asStored.arrayBuffer()).metadata()).toMatchObject({ width: 60, height: 40 })
  })

  it('is cut where gravity says', async () => {
    const { ask } = await servedImages({ 'photo.jpg': (await photo()).jpeg() })
    const corner = async (gravity: string) => {
      const image = await ask(localUrl(`c:200:200/g:${gravity}`, 'photo.jpg', 'png'))
      const [red = 0, green = 0] = await pixelOf(image, 100, 100)
      return red < 200 ? 'background' : green > 200 ? 'yellow' : 'red'
    }
    expect(await corner('nowe')).toBe('red')
    expect(await corner('fp:0:0')).toBe('red')
    expect(await corner('soea')).toBe('yellow')
    expect(await corner('fp:1:1')).toBe('yellow')
    expect(await corner('ce')).toBe('background')
    expect(await corner('noea')).toBe('background')
    expect(await corner('nowe:600:0')).toBe('background')
  })

  it('is filled where the eye is drawn to', async () => {
    const { ask } = await servedImages({ 'photo.jpg': (await photo()).jpeg() })
    const image = await ask(localUrl('rs:fill:100:100/g:sm', 'photo.jpg', 'png'))
    expect(await sharp(await image.arrayBuffer()).metadata()).toMatchObject({ width: 100, height: 100 })
  })

  it('stands in a canvas: see-through where the format can, else white or as asked for', async () => {
    const { ask } = await servedImages({ 'a.jpg': plainImage('red') })
    const edge = async (options: string, format: string) =>
      pixelOf(await ask(localUrl(options, 'a.jpg', format)), 2, 2)
    expect(await edge('rs:fit:60:60:0:1', 'png')).toEqual([0, 0, 0, 0])
    expect(await edge('rs:fit:60:60:0:1', 'jpg')).toEqual([255, 255, 255])
    expect((await edge('rs:fit:60:60:0:1/bg:0000ff', 'png')).slice(0, 3)).toEqual([0, 0, 255])
    expect(await edge('rs:fit:60:60:0:1:no', 'png')).toEqual([255, 0, 0, 255])
  })

  it('shows white through its holes as JPEG, and the colour asked for', async () => {
    const { ask } = await servedImages({ 'alpha.png': (await sourceFiles()).get('alpha.png')! })
    expect(await pixelOf(await ask(localUrl('', 'alpha.png', 'jpg')), 590, 10)).toEqual([255, 255, 255])
    expect(await pixelOf(await ask(localUrl('bg:00ff00', 'alpha.png', 'png')), 590, 10)).toEqual([0, 255, 0])
    expect((await pixelOf(await ask(localUrl('', 'alpha.png', 'webp')), 590, 10)).at(3)).toBe(0)
  })

  it('keeps its frames and their size as webp and gif, also when cut, and the first one otherwise', async () => {
    const { ask } = await servedImages({ 'anim.gif': (await sourceFiles()).get('anim.gif')! })
    const frames = async (options: string, format: string) => {
      const {
        pages = 1,
        width,
        pageHeight,
        height,
      } = await sharp(await (await ask(localUrl(options, 'anim.gif', format))).arrayBuffer()).metadata()
      return [pages, width, pageHeight ?? height]
    }
    expect(await frames('w:50', 'webp')).toEqual([5, 50, 30])
    expect(await frames('rs:fill:50:50', 'gif')).toEqual([5, 50, 50])
    expect(await frames('w:50', '')).toEqual([5, 50, 30])
    expect(await frames('w:50', 'jpg')).toEqual([1, 50, 30])
  })

  it('has the format of its source where none is named, or one that all browsers show', async () => {
    const files = await sourceFiles()
    const { ask } = await servedImages(Object.fromEntries(files))
    const type = async (key: string, options = 'w:20') =>
      (await ask(localUrl(options, key))).headers.get('content-type')
    expect(await type('photo.jpg')).toBe('image/jpeg')
    expect(await type('alpha.png')).toBe('image/png')
    expect(await type('anim.gif')).toBe('image/gif')
    expect(await type('photo.webp')).toBe('image/jpeg')
    expect(await type('anim.webp')).toBe('image/gif')
    expect(await type('photo.avif')).toBe('image/jpeg')
  })

  it('is no AVIF where that would be below 16 pixels', async () => {
    const { ask } = await servedImages({ 'a.jpg': plainImage('red') })
    expect((await ask(localUrl('w:20', 'a.jpg', 'avif'))).headers.get('content-type')).toBe('image/jpeg')
    expect((await ask(localUrl('w:24', 'a.jpg', 'avif'))).headers.get('content-type')).toBe('image/avif')
  })

  it('is shown as far as it goes where its file ends early', async () => {
    const whole = await (await photo()).jpeg().toBuffer()
    const { ask } = await servedImages({ 'a.jpg': whole.subarray(0, whole.length / 2) })
    const image = await ask(localUrl('', 'a.jpg', 'png'))
    expect(await pixelOf(image.clone(), 100, 10)).toEqual([255, 0, 0])
    expect(await sharp(await image.arrayBuffer()).metadata()).toMatchObject({ width: 1200, height: 800 })
  })

  it('may be drawn from an SVG at any size, but is none itself', async () => {
    const { ask } = await servedImages({ 'logo.svg': (await sourceFiles()).get('logo.svg')! })
    const large = await ask(localUrl('w:480', 'logo.svg', 'png'))
    expect(await sharp(await large.arrayBuffer()).metadata()).toMatchObject({ width: 480, height: 320 })
    const same = await ask(localUrl('', 'logo.svg'))
    expect(same.status).toBe(422)
    expect(reasonOf(same)).toMatch(/SVG/)
  })

  it('is the same bytes as stored with raw', async () => {
    const { ask, files } = await servedImages({ 'a.jpg': plainImage('red') })
    const raw = await ask(localUrl('raw:1/w:5', 'a.jpg', 'webp'))
    expect(new Uint8Array(await raw.arrayBuffer())).toEqual(await (await files.download('a.jpg')).bytes())
    expect(raw.headers.get('content-type')).toBe('image/jpeg')
  })

  it('is smaller in bytes with less quality, and blurred by bl', async () => {
    const { ask } = await servedImages({ 'photo.jpg': (await photo()).jpeg() })
    const bytes = async (options: string) =>
      (await (await ask(localUrl(options, 'photo.jpg', 'jpg'))).arrayBuffer()).byteLength
    expect(await bytes('w:400/q:20')).toBeLessThan(await bytes('w:400/q:90'))
    const sharpEdge = await pixelOf(await ask(localUrl('w:300', 'photo.jpg', 'png')), 55, 30)
    const softEdge = await pixelOf(await ask(localUrl('w:300/bl:15', 'photo.jpg', 'png')), 55, 30)
    expect(sharpEdge[0]).toBeGreaterThan(240)
    expect(softEdge[0]).toBeLessThan(220)
    expect((await ask(localUrl('w:30/bl:0.1', 'photo.jpg'))).status).toBe(200)
  })

  it('takes presets in their order, the default one always, and passes over one that leads back to itself', async () => {
    const presets = { default: 'w:30', tall: 'h:10/rt:force', loop: 'pr:loop/w:20' }
    const { ask } = await servedImages({ 'a.jpg': plainImage('red') }, { presets })
    const size = async (options: string) => {
      const image = await ask(localUrl(options, 'a.jpg', 'png'))
      const { width, height } = await sharp(await image.arrayBuffer()).metadata()
      return [width, height]
    }
    expect(await size('')).toEqual([30, 20])
    expect(await size('pr:tall')).toEqual([30, 10])
    expect(await size('pr:tall:loop')).toEqual([20, 10])
    expect(await size('w:60')).toEqual([60, 40])
  })
})
