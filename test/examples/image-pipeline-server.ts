/** The server of `examples/image-pipeline` over folders of its own, and those who visit it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { type RunningExample, startExample } from './run-example.ts'

export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
]

/**
 * An imgproxy that the environment names. It must be allowed to fetch from loopback addresses
 * (`IMGPROXY_ALLOW_LOOPBACK_SOURCE_ADDRESSES`), and allow its images to all pages (`IMGPROXY_ALLOW_ORIGIN=*`).
 */
export const REAL_IMGPROXY: Record<string, string> | undefined = process.env.STOWAGE_TEST_IMGPROXY_URL
  ? {
      IMGPROXY_URL: process.env.STOWAGE_TEST_IMGPROXY_URL,
      IMGPROXY_KEY: process.env.STOWAGE_TEST_IMGPROXY_KEY ?? '',
      IMGPROXY_SALT: process.env.STOWAGE_TEST_IMGPROXY_SALT ?? '',
    }
  : undefined

const made: string[] = []

export function removeFolders(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-images-test-'))
  made.push(folder)
  return folder
}

/** What the machine's own environment says must not choose the parts. */
const DEFAULTS = {
  STOWAGE_URL: '',
  DATABASE_URL: '',
  REDIS_URL: '',
  IMGPROXY_URL: '',
  IMGPROXY_KEY: '',
  IMGPROXY_SALT: '',
  IMGPROXY_TTL: '',
  IMGPROXY_SOURCE: '',
  APP_SECRET: '',
  PUBLIC_URL: '',
  NODE_ENV: '',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
}

export async function startServer(
  folder: string,
  env: Record<string, string> = {},
): Promise<RunningExample & { readonly url: string }> {
  const variables = { ...DEFAULTS, PORT: '0', ...env }
  const server = await startExample('image-pipeline/server.js', [folder], variables, /ready: (http:\S+)/)
  return { ...server, url: server.said[1]! }
}

/** The bytes of users that lie in the folder: neither attributes nor the mark of whose folder it is. */
export function bytesIn(folder: string): string[] {
  return readdirSync(join(folder, 'files'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.includes('.stowage'))
    .map(entry => join(entry.parentPath, entry.name))
}

/** A photo whose left half is red and whose right half is blue, as it is stored; `orientation` is EXIF's. */
export function photo({ width = 600, height = 400, orientation = 1, type = 'jpeg' as const } = {}) {
  const half = { create: { width: width / 2, height, channels: 3 as const, background: '#d02020' } }
  return sharp({ create: { width, height, channels: 3, background: '#2040d0' } })
    .composite([{ input: half, left: 0, top: 0 }])
    .withMetadata({ orientation })
    .toFormat(type)
    .toBuffer()
}

export interface ShownImage {
  id: string
  imageId: string
  threadId: string
  kind: string
  alt: string
  isMine: boolean
  isShared: boolean
  url: string
  originUrl: string
  thumbUrl: string
  blurUrl: string
  blurhash: string
  width: number | null
  height: number | null
}

interface Answer<Body = { error: { code: string; message: string } }> {
  status: number
  body: Body
  headers: Headers
}

interface SignedUpload {
  method: string
  url: string
  headers?: Record<string, string>
  fields?: Record<string, string>
}

/** Somebody with a browser of their own: keeps the cookie. */
export class Visitor {
  #url: string
  #cookie = ''

  constructor(url: string) {
    this.#url = url
  }

  async ask<Body = { error: { code: string; message: string } }>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        ...(this.#cookie ? { cookie: this.#cookie } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    })
    const cookie = response.headers.get('set-cookie')
    if (cookie !== null) this.#cookie = cookie.split(';', 1)[0]!
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as Body,
    }
  }

  /** Signed, sent and not yet finished. */
  async send(bytes: Uint8Array, wish: Record<string, unknown> = {}): Promise<string> {
    const asked = { contentType: 'image/jpeg', size: bytes.length, ...wish }
    const { status, body } = await this.ask<{ upload: SignedUpload; ticket: string }>(
      'POST',
      '/uploads',
      asked,
    )
    if (status !== 201) throw new Error(`POST /uploads answered ${status}: ${JSON.stringify(body)}`)
    const sent = await put(body.upload, bytes)
    if (!sent.ok) throw new Error(`the upload answered ${sent.status}: ${await sent.text()}`)
    return body.ticket
  }

  async upload(bytes: Uint8Array, wish: Record<string, unknown> = {}, alt = 'A photo'): Promise<ShownImage> {
    const ticket = await this.send(bytes, wish)
    const { status, body } = await this.ask<ShownImage>('POST', '/images', { ticket, alt })
    if (status !== 201) throw new Error(`POST /images answered ${status}: ${JSON.stringify(body)}`)
    return body
  }

  async feed(query = ''): Promise<{ images: ShownImage[]; next?: string }> {
    return (await this.ask<{ images: ShownImage[]; next?: string }>('GET', `/feed${query}`)).body
  }

  async metric(name: string, outcome: string): Promise<number> {
    const { body } = await this.ask<string>('GET', '/metrics')
    const [, value] = new RegExp(`^${name}\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(body) ?? []
    return Number(value)
  }
}

function put({ method, url, headers, fields }: SignedUpload, bytes: Uint8Array): Promise<Response> {
  if (fields === undefined) return fetch(url, { method, headers, body: bytes })
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob([bytes]))
  return fetch(url, { method, body: form })
}
