import { readFile } from 'node:fs/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { type FileServerOptions, fileServer, toNodeHandler, type UrlSigning } from '../../src/server/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'
import { signedPut } from './served-memory.ts'

const SCRIPT = 'document.title = "ran"; fetch("/ran-as-" + location.origin)'
const HTML = `<!doctype html><title>page</title><p>text</p><script>${SCRIPT}</script>`
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20" fill="red"/><script>${SCRIPT}</script></svg>`
const XHTML = `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>page</title></head><body><script>${SCRIPT}</script></body></html>`

describeWithTool('chromium', 'in Chromium', program => {
  let browser: Browser
  let server: LoopbackServer
  let signing: UrlSigning
  let files: StorageProvider
  let asked: string[]

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
    server = await loopbackServer()
    signing = { baseUrl: `${server.origin}/files`, secret: 'a-secret-of-some-length' }
    files = memory({ signing })
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  /** A page of the site itself, which serves files on its own origin. */
  async function site(html: string, options: Partial<FileServerOptions> = {}): Promise<Page> {
    const serveFiles = toNodeHandler(fileServer(files, { signing, ...options }))
    asked = []
    server.use((request, response) => {
      if (request.url!.startsWith('/files/')) return void serveFiles(request, response)
      asked.push(request.url!)
      response.setHeader('content-type', 'text/html').end(`<!doctype html><title>site</title>${html}`)
    })
    const page = await browser.newPage()
    await page.goto(server.origin)
    return page
  }

  async function stored(key: string, content: string, contentType: string): Promise<string> {
    await files.upload(key, content, { contentType })
    return (await files.signedUrl(key, { expiresIn: 60 })).url
  }

  /** Opens the file as a page; undefined where the browser saves it instead. */
  async function opened(page: Page, url: string): Promise<string | undefined> {
    const download = page.waitForEvent('download').then(() => undefined)
    const shown = page
      .goto(url)
      .then(() => page.title())
      .catch(() => download)
    return Promise.race([download, shown])
  }

  it.each([
    ['evil.html', HTML, 'text/html'],
    ['evil.svg', SVG, 'image/svg+xml'],
    ['evil.xhtml', XHTML, 'application/xhtml+xml'],
    ['evil.xml', XHTML, 'application/xml'],
  ])('an uploaded %s is saved and never runs', async (key, content, type) => {
    const url = await stored(key, content, type)
    const page = await site('')
    expect(await opened(page, url)).toBeUndefined()
    await page.close()
    expect(asked.filter(path => path.startsWith('/ran'))).toEqual([])
  })

  it.each([
    ['evil.html', HTML, 'text/html'],
    ['evil.svg', SVG, 'image/svg+xml'],
  ])('%s does not run either where it is shown', async (key, content, type) => {
    const url = await stored(key, content, type)
    const page = await site('', { inlineTypes: [type] })
    expect(await opened(page, url)).not.toBe('ran')
    await page.goto(server.origin)
    await page.setContent(
      `<iframe src="${url}"></iframe><embed src="${url}"><object data="${url}"></object><img src="${url}">`,
    )
    await page.waitForLoadState('networkidle')
    await page.close()
    expect(asked.filter(path => path.startsWith('/ran'))).toEqual([])
  })

  it('runs where the site asks for it: the test would notice', async () => {
    const url = await stored('own.html', HTML, 'text/html')
    const page = await site('', { inlineTypes: ['text/html'], contentSecurityPolicy: false })
    expect(await opened(page, url)).toBe('ran')
    await page.waitForLoadState('networkidle')
    await page.close()
    expect(asked.filter(path => path.startsWith('/ran'))).toHaveLength(1)
  })

  it('shows an uploaded image in a page, and an SVG as an image', async () => {
    const svg = await stored('drawing.svg', SVG, 'image/svg+xml')
    const page = await site(`<img src="${svg}">`)
    const width = await page
      .locator('img')
      .evaluate(async (image: { decode(): Promise<void>; naturalWidth: number }) => {
        await image.decode()
        return image.naturalWidth
      })
    await page.close()
    expect(width).toBe(20)
    expect(asked.filter(path => path.startsWith('/ran'))).toEqual([])
  })

  it('plays an uploaded video that is opened by itself', async () => {
    const film = await readFile(new URL('../../examples/files/videos/sunrise.mp4', import.meta.url))
    await files.upload('film.mp4', film)
    const page = await site('')
    await page.goto((await files.signedUrl('film.mp4', { expiresIn: 60 })).url)
    await page.waitForFunction('document.querySelector("video").videoWidth === 480')
    await page.close()
  })

  it('does not load an uploaded script into a page of the site', async () => {
    const url = await stored('evil.js', SCRIPT, 'text/javascript')
    const page = await site(`<script src="${url}"></script>`)
    await page.waitForLoadState('networkidle')
    expect(await page.title()).toBe('site')
    await page.close()
  })

  it('takes an upload from a page of another origin that is allowed, and lets no other read', async () => {
    const allowed = await loopbackServer()
    allowed.use((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'))
    const page = await site('', { cors: { origins: [allowed.origin] } })
    const up = await signedPut(files, 'from-browser.txt', {
      expiresIn: 60,
      contentType: 'text/plain',
      maxSize: 100,
    })
    const put = () =>
      page.evaluate(
        async ({ url, method, headers, body }) => {
          const response = await fetch(url, { method, headers, body })
          return [response.status, response.headers.get('etag')]
        },
        { url: up.url, method: up.method, headers: up.headers, body: 'Hello' },
      )
    await page.goto(allowed.origin)
    const [status, etag] = await put()
    const info = await files.info('from-browser.txt')
    expect([status, etag]).toEqual([200, `"${info.etag}"`])
    expect(info).toMatchObject({ size: 5, contentType: 'text/plain' })
    await allowed.close()

    const other = await loopbackServer()
    other.use((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'))
    await page.goto(other.origin)
    await expect(put()).rejects.toThrow(/Failed to fetch/)
    await page.close()
    await other.close()
  })
})
