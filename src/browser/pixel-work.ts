import type { ErrorCode } from '../core/plain-error.ts'
import type { WorkerScope } from './serve-images.ts'

/** What shall become of an image's pixels; plain data, for a worker. */
export interface PixelWish {
  readonly maxWidth: number
  readonly maxHeight: number
  readonly maxPixels: number
  readonly quality: number
  /** What it shall be written as; absent: JPEG, or PNG where pixels are transparent. */
  readonly type: string | undefined
  /** Written also where it need not shrink. */
  readonly must: boolean
}

export type PixelJob = [file: Blob, wish: PixelWish]

export interface Pixels {
  /** Of `blob`, or without one of the image, as seen. */
  readonly width: number
  readonly height: number
  /** Absent where nothing had to be written, or could be. */
  readonly blob?: Blob
  /** The image inside 32×32, RGBA; absent where the browser hands out no true pixels. */
  readonly small?: ImageData
  readonly failure?: undefined
}

/** `unsupported`: not with what this scope has, but maybe on the page. */
export type PixelAnswer = Pixels | { readonly failure: ErrorCode }

export type PixelWork = (...job: PixelJob) => Promise<PixelAnswer>

/**
 * Everything that is done to pixels, the same on the page and in a worker: given a scope, it answers messages there.
 *
 * Its text is also the worker's source (`image-worker.ts`), so that one copy is enough and no bundler has to know of a
 * second file: it must use nothing from outside but the browser's own. Where a bundler puts something in, the worker
 * does not run and the page does the work.
 */
export function pixelWork(scope?: WorkerScope): PixelWork {
  type Canvas = OffscreenCanvas | HTMLCanvasElement
  type Size = { width: number; height: number }
  type Context = OffscreenCanvasRenderingContext2D
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
    try {
      await image.decode()
      return image
    } catch {
      throw 'invalid-argument'
    } finally {
      URL.revokeObjectURL(image.src)
    }
  }

  /**
   * The picture, drawn smaller: in halves, as in a single step browsers look at a few pixels of many.
   *
   * `undefined` where what is drawn can't be read back. A canvas above the size a browser takes (16.8 million pixels on
   * iOS) stays empty without an error, and privacy settings give noise: neither must replace a photo.
   */
  function drawn(picture: Picture | Canvas, size: Size, ground?: string): Context | undefined {
    const inHalves = picture.width > size.width * 2 && picture.height > size.height * 2
    const side = (from: number, to: number) => (inHalves ? Math.ceil(from / 2) : to)
    const width = side(picture.width, size.width)
    const height = side(picture.height, size.height)
    const canvas: Canvas =
      typeof OffscreenCanvas === 'function'
        ? new OffscreenCanvas(width, height)
        : Object.assign(document.createElement('canvas'), { width, height })
    // In memory, not on the graphics card: what is read back is then the same on the page and in a worker.
    const context = canvas.getContext('2d', { willReadFrequently: true }) as Context
    const last = [width - 1, height - 1, 1, 1] as const
    context.fillStyle = '#123456'
    context.fillRect(...last)
    if (`${context.getImageData(...last).data}` !== '18,52,86,255') return undefined
    context.clearRect(...last)
    if (ground) {
      context.fillStyle = ground
      context.fillRect(0, 0, width, height)
    }
    context.imageSmoothingQuality = 'high'
    context.drawImage(picture, 0, 0, width, height)
    if (!inHalves) return context
    const smaller = drawn(canvas, size, ground)
    // Gives the memory back now: some browsers wait long, and a phone has little.
    canvas.width = 0
    return smaller
  }

  function encoded(canvas: Canvas, type: string, quality: number): Promise<Blob | null> {
    if ('convertToBlob' in canvas) return canvas.convertToBlob({ type, quality }).catch(() => null)
    return new Promise(resolve => canvas.toBlob(resolve, type, quality))
  }

  async function answered(file: Blob, wish: PixelWish): Promise<PixelAnswer> {
    const picture = await decoded(file)
    const { width, height } = picture
    const inside = (maxWidth: number, maxHeight: number) => {
      const scale = Math.min(1, maxWidth / width, maxHeight / height)
      const side = (length: number) => Math.max(1, Math.round(length * scale))
      return { width: side(width), height: side(height) }
    }
    try {
      if (width * height > wish.maxPixels) return { failure: 'too-large' }
      const mini = inside(32, 32)
      const small = drawn(picture, mini)?.getImageData(0, 0, mini.width, mini.height)
      const size = inside(wish.maxWidth, wish.maxHeight)
      let blob: Blob | null | undefined
      if (wish.must || size.width < width || size.height < height) {
        const opaque = small?.data.every((value, at) => at % 4 < 3 || value === 255)
        const instead = opaque ? 'image/jpeg' : 'image/png'
        const type = wish.type ?? instead
        // JPEG has no transparency; white is what imgproxy puts there, too.
        const canvas = drawn(picture, size, type === 'image/jpeg' ? '#fff' : '')?.canvas
        if (canvas) {
          blob = await encoded(canvas, type, wish.quality)
          // Browsers write PNG instead of what they do not know, which for a photo is many times larger.
          if (blob?.type !== type) blob = await encoded(canvas, instead, wish.quality)
          canvas.width = 0
        }
      }
      return blob ? { ...size, small, blob } : { width, height, small }
    } finally {
      // Elements have nothing to close.
      ;(picture as Partial<ImageBitmap>).close?.()
    }
  }

  const work: PixelWork = (...job) =>
    answered(...job).catch(
      error => ({ failure: typeof error === 'string' ? error : 'unsupported' }) as PixelAnswer,
    )
  scope?.addEventListener('message', async ({ data }) => {
    if (data.stowage) scope.postMessage({ stowage: await work(...(data.stowage as PixelJob)) })
  })
  scope?.postMessage({ stowage: 'ready' })
  return work
}
