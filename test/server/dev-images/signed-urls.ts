import { createHmac } from 'node:crypto'
import type { Sharp } from 'sharp'
import sharp from 'sharp'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { type DevImagesOptions, devImages } from '../../../src/server/index.ts'

export const KEY = '736563726574'
export const SALT = '68656c6c6f'
export const NOW_SECONDS = 1_800_000_000

/** `path` with its signature before it. */
export function signed(path: string, key = KEY, salt = SALT, bytes = 32): string {
  const mac = createHmac('sha256', Buffer.from(key, 'hex')).update(Buffer.from(salt, 'hex')).update(path)
  return `/${mac.digest().subarray(0, bytes).toString('base64url')}${path}`
}

/** The signed path of `local:///key` with `options`, which may be empty. */
export function localUrl(options: string, key: string, extension = ''): string {
  const end = extension === '' ? '' : `@${extension}`
  return signed(`/${options === '' ? '' : `${options}/`}plain/${encodeURIComponent(`local:///${key}`)}${end}`)
}

/** A handler over memory storage that holds `images`, and what it logged. */
export async function servedImages(
  images: Record<string, Sharp | Uint8Array>,
  options: Partial<DevImagesOptions> = {},
) {
  const files: StorageProvider = memory({ now: () => NOW_SECONDS * 1000 })
  for (const [key, image] of Object.entries(images))
    await files.upload(key, image instanceof Uint8Array ? image : await image.toBuffer())
  const logged: string[] = []
  const handler = devImages({
    key: KEY,
    salt: SALT,
    local: files,
    now: () => NOW_SECONDS * 1000,
    log: line => logged.push(line),
    ...options,
  })
  const ask = (path: string, init: RequestInit = {}) => handler(new Request(`http://images${path}`, init))
  return { files, handler, ask, logged }
}

/** One colour; a JPEG of 60 by 40 pixels unless told otherwise. */
export function plainImage(background: string, width = 60, height = 40): Sharp {
  return sharp({ create: { width, height, channels: 3, background } }).jpeg()
}

/** Red, green, blue and, where there is one, alpha of one pixel; what is nearly none or all of it counts so. */
export async function pixelOf(response: Response, left: number, top: number): Promise<number[]> {
  const image = sharp(await response.arrayBuffer())
  const channels = await image.extract({ left, top, width: 1, height: 1 }).raw().toBuffer()
  return [...channels].map(value => (value < 20 ? 0 : value > 235 ? 255 : value))
}

export function reasonOf(response: Response): string {
  return response.headers.get('x-dev-images-reason') ?? ''
}
