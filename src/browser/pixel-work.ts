import type { ErrorCode } from '../core/errors.ts'
import type { WorkerScope } from './serve-images.ts'

/** What shall become of an image's pixels; plain data, for a worker. */
export interface PixelWish {
  readonly maxWidth: number
  readonly maxHeight: number
  readonly maxPixels: number
  readonly quality: number
  /** What it shall be written as; absent: JPEG, or PNG where pixels are transparent. */
  readonly type?: string
  readonly write: 'always' | 'when-shrunk' | 'never'
}

export interface Pixels {
  /** Of `blob`, or without one of the image, as seen. */
  readonly width: number
  readonly height: number
  /** Absent where nothing had to be written, or could be. */
  readonly blob?: Blob
  /** The image inside 32×32, RGBA; absent where the browser hands out no true pixels. */
  readonly small?: { readonly data: Uint8ClampedArray; readonly width: number; readonly height: number }
}

export type PixelAnswer = Pixels | { readonly failure: ErrorCode | 'not-here' }

export type PixelWork = (file: Blob, wish: PixelWish) => Promise<PixelAnswer>

/**
 * Everything that is done to pixels, the same on the page and in a worker: given a scope, it answers messages there.
 *
 * Its text is also the worker's source (`image-thread.ts`), so that one copy is enough and no bundler has to know of a
 * second file: it must use nothing from outside but the browser's own. Where a bundler puts something in, the worker
 * does not run and the page does the work.
 */
export function pixelWork(scope?: WorkerScope): PixelWork {
  type Canvas = OffscreenCanvas | HTMLCanvasElement
  type Picture = ImageBitmap | HTMLImageElement

  /** Turned as EXIF says. */
  async function decoded(file: Blob): Promise<Picture> {
    try {
      return await createImageBitmap(file, { imageOrientation: 'from-image' })
    } catch (error) {
      if (error instanceof DOMException) throw 'invalid-argument'
    }
    // No such function, or one that does not know the option: an element always turns its image.
    const image = new Image()
    image.src = URL.createObjectURL(file)
    await image
      .decode()
      .catch(() => Promise.reject('invalid-argument'))
      .finally(() => URL.revokeObjectURL(image.src))
    return image
  }

  function newCanvas(width: number, height: number): Canvas {
    if (typeof OffscreenCanvas === 'function') return new OffscreenCanvas(width, height)
    return Object.assign(document.createElement('canvas'), { width, height })
  }

  /** In memory, not on the graphics card: what is read back is then the same on the page and in a worker. */
  function contextOf(canvas: Canvas): OffscreenCanvasRenderingContext2D {
    return canvas.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D
  }

  /**
   * Whether what is drawn can be read back. A canvas above the size a browser takes (16.8 million pixels on iOS) stays
   * empty without an error, and privacy settings give noise: neither must replace a photo.
   */
  function holdsPixels(canvas: Canvas): boolean {
    const context = contextOf(canvas)
    const last = [canvas.width - 1, canvas.height - 1, 1, 1] as const
    context.fillStyle = '#123456'
    context.fillRect(...last)
    const holds = `${context.getImageData(...last).data}` === '18,52,86,255'
    context.clearRect(...last)
    return holds
  }

  /** In halves: in a single step browsers look at a few pixels of many. `undefined` where pixels can't be read. */
  function scaled(picture: Picture, width: number, height: number, ground?: string): Canvas | undefined {
    let from: Picture | Canvas = picture
    for (;;) {
      const half = from.width >= width * 2 && from.height >= height * 2
      const canvas = newCanvas(
        half ? Math.ceil(from.width / 2) : width,
        half ? Math.ceil(from.height / 2) : height,
      )
      const holds = half || holdsPixels(canvas)
      const context = contextOf(canvas)
      if (!half) context.imageSmoothingQuality = 'high'
      if (!half && ground) {
        context.fillStyle = ground
        context.fillRect(0, 0, width, height)
      }
      context.drawImage(from, 0, 0, canvas.width, canvas.height)
      if (from !== picture) free(from as Canvas)
      if (!half) return holds ? canvas : undefined
      from = canvas
    }
  }

  /** Gives the memory back now: some browsers wait long, and a phone has little. */
  function free(canvas: Canvas): void {
    canvas.width = canvas.height = 0
  }

  function encoded(canvas: Canvas, type: string, quality: number): Promise<Blob | null> {
    if ('convertToBlob' in canvas) return canvas.convertToBlob({ type, quality }).catch(() => null)
    return new Promise(resolve => canvas.toBlob(resolve, type, quality))
  }

  async function answered(file: Blob, wish: PixelWish): Promise<PixelAnswer> {
    const picture = await decoded(file)
    const inside = (maxWidth: number, maxHeight: number) => {
      const scale = Math.min(1, maxWidth / picture.width, maxHeight / picture.height)
      const side = (length: number) => Math.max(1, Math.round(length * scale))
      return { width: side(picture.width), height: side(picture.height) }
    }
    try {
      const { width, height } = picture
      if (width * height > wish.maxPixels) return { failure: 'too-large' }
      const mini = inside(32, 32)
      const miniature = scaled(picture, mini.width, mini.height)
      const data = miniature && contextOf(miniature).getImageData(0, 0, mini.width, mini.height).data
      const small = data && { data, ...mini }
      const size = inside(wish.maxWidth, wish.maxHeight)
      const shrunk = size.width < width || size.height < height
      if (wish.write === 'never' || (wish.write === 'when-shrunk' && !shrunk)) return { width, height, small }

      const instead = data?.every((value, at) => at % 4 < 3 || value === 255) ? 'image/jpeg' : 'image/png'
      const type = wish.type ?? instead
      // JPEG has no transparency; white is what imgproxy puts there, too.
      const canvas = scaled(picture, size.width, size.height, type === 'image/jpeg' ? '#fff' : '')
      let blob = canvas && (await encoded(canvas, type, wish.quality))
      // Browsers write PNG instead of what they do not know, which for a photo is many times larger.
      if (canvas && blob?.type !== type) blob = await encoded(canvas, instead, wish.quality)
      if (canvas) free(canvas)
      return blob ? { ...size, small, blob } : { width, height, small }
    } finally {
      if ('close' in picture) picture.close()
    }
  }

  const work: PixelWork = (file, wish) =>
    answered(file, wish).catch(
      error => ({ failure: typeof error === 'string' ? error : 'not-here' }) as PixelAnswer,
    )
  scope?.addEventListener('message', async ({ data }) => {
    if (data.stowage) scope.postMessage({ stowage: await work(data.stowage, data.wish) })
  })
  scope?.postMessage({ stowage: 'ready' })
  return work
}
