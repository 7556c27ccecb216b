/** The files that the recorded answers of imgproxy were made from, in kind and size, and the servers they were on. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import sharp, { type Sharp } from 'sharp'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { loopbackServer } from '../../support/loopback-server.ts'

export type SourceFiles = ReadonlyMap<string, Uint8Array>

/** Names that have to be encoded, in one way or another: all of them are the photo. */
const HARD_NAMES = [
  'プロフィール 写真.jpg',
  'Ünï çødé+plus.jpg',
  '100%.jpg',
  'what?.jpg',
  'hash#tag.jpg',
  'amp&eq=1.jpg',
  'space name.jpg',
  "it's (1)!*~.jpg",
  'emoji😀.jpg',
  'semi;colon,comma.jpg',
  'per%2Fcent.jpg',
  'quote".jpg',
  'dir@v1/plain/nested.jpg',
]
export const LOCAL_KEYS = [
  'photo.jpg',
  'プロフィール 写真.jpg',
  'a@2x.jpg',
  '100%.jpg',
  'hash#tag.jpg',
  'space name.jpg',
  'what?.jpg',
]
export const S3_KEYS = [
  'users/u1/photo.jpg',
  'プロフィール/写真 1.jpg',
  'a+b c&d=e@2x 100%.jpg',
  'per%2Fcent.jpg',
  "it's (1)!*~.jpg",
  'plain/x.jpg',
  'what?#x.jpg',
]

/** 1200 by 800 pixels of blue: a red square top left, a yellow one bottom right. */
export async function photo(): Promise<Sharp> {
  const square = (background: string) => ({
    create: { width: 240, height: 240, channels: 3 as const, background },
  })
  const { data, info } = await sharp({
    create: { width: 1200, height: 800, channels: 3, background: '#336699' },
  })
    .composite([
      { input: square('#ff0000'), left: 0, top: 0 },
      { input: square('#ffff00'), left: 960, top: 560 },
    ])
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
}

export async function sourceFiles(): Promise<SourceFiles> {
  const image = await photo()
  const jpeg = await image.clone().jpeg().toBuffer()
  const files = new Map<string, Uint8Array>([['photo.jpg', jpeg]])
  for (const name of HARD_NAMES) files.set(name, jpeg)
  for (const orientation of [1, 6, 8])
    files.set(`exif${orientation}.jpg`, await image.clone().withMetadata({ orientation }).jpeg().toBuffer())
  files.set('photo.avif', await image.clone().avif({ effort: 0 }).toBuffer())
  files.set('photo.webp', await image.clone().webp({ effort: 0 }).toBuffer())
  files.set('alpha.png', await half().png().toBuffer())
  files.set('anim.gif', await frames().gif().toBuffer())
  files.set('anim.webp', await frames().webp({ effort: 0 }).toBuffer())
  files.set('logo.svg', Buffer.from(LOGO))
  files.set('text.txt', Buffer.from('This is no image, however long it may be.\n'.repeat(20)))
  return files
}

/** Half of it red, half of it not there. */
function half(): Sharp {
  return sharp({
    create: { width: 600, height: 400, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  }).composite([
    { input: { create: { width: 300, height: 400, channels: 4, background: '#ff0000' } }, left: 0, top: 0 },
  ])
}

/** Five frames of 200 by 120 pixels. */
function frames(): Sharp {
  const [width, height, count] = [200, 120, 5]
  const pixels = Buffer.alloc(width * height * 3 * count)
  for (let index = 0; index < pixels.length; index++)
    pixels[index] = Math.floor(index / (width * height * 3)) * 50
  return sharp(pixels, { raw: { width, height: height * count, channels: 3, pageHeight: height } })
}

const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80"><rect width="120" height="80" fill="green"/></svg>'

export interface SourceServer {
  readonly origin: string
  /** Request targets in the order they came, as they stood in the request. */
  readonly asked: string[]
  close(): Promise<void>
}

/** Serves `files` by their names, and under `/status/503` that status. */
export function fileOrigin(files: SourceFiles): Promise<SourceServer> {
  return serve((target, response) => {
    const path = decodeURIComponent(target.slice(1).split('?', 1)[0]!)
    const status = Number(/^status\/(\d+)$/.exec(path)?.[1] ?? 0)
    const body = files.get(path)
    if (body === undefined) return void response.writeHead(status || 404).end('nothing here')
    response.writeHead(200, { etag: `"${body.length}"`, 'content-type': 'image/jpeg' }).end(body)
  })
}

/** A bucket `photos` that takes the URLs whose signatures were recorded as good ones, and no other. */
export function bucketOrigin(files: SourceFiles, signatures: ReadonlySet<string>): Promise<SourceServer> {
  return serve((target, response) => {
    const { pathname, searchParams } = new URL(target, 'http://bucket')
    const key = decodeURIComponent(pathname.slice('/photos/'.length))
    const signed = signatures.has(searchParams.get('X-Amz-Signature') ?? '')
    if (!signed) return void response.writeHead(403).end()
    response.writeHead(S3_KEYS.includes(key) ? 200 : 404).end(files.get('photo.jpg'))
  })
}

export async function storedFiles(files: SourceFiles, keys: readonly string[]): Promise<StorageProvider> {
  const provider = memory()
  for (const key of keys) await provider.upload(key, files.get('photo.jpg')!)
  return provider
}

async function serve(answer: (target: string, response: ServerResponse) => void): Promise<SourceServer> {
  const server = await loopbackServer()
  const asked: string[] = []
  server.use((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url!)
    answer(request.url!, response)
  })
  return { origin: server.origin, asked, close: server.close }
}
