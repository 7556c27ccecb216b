/** A page of Chromium that has the library as `stowage`, served by a loopback server. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'

export type Library = typeof import('../../src/browser/index.ts')

export const entry = fileURLToPath(new URL('../../src/browser/index.ts', import.meta.url))

/** The library as a page's bundler would make it: one file. */
export async function bundled(options: { keepNames?: boolean } = {}): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // The compiler's settings are for Node.
    tsconfigRaw: {},
    ...options,
  })
  return outputFiles[0]!.contents
}

const HTML =
  '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/entry.js"></script>'

const ENTRY = `import * as stowage from './stowage.js'
window.stowage = stowage`

const OWN_WORKER = `import { serveImages } from './stowage.js'
serveImages(self)`

export interface PageOptions {
  /** Content-Security-Policy of the page. */
  policy?: string
  /** Runs before anything else: to take something away. */
  before?: string | (() => void)
}

export interface Pages {
  readonly server: LoopbackServer
  /** A new page with nothing on it. `problems` are what the console complained of, and errors nobody caught. */
  open(options?: PageOptions): Promise<{ page: Page; context: BrowserContext; problems: string[] }>
  close(): Promise<void>
}

/** @param library what `bundled` gave */
export async function pages(program: string, library: Uint8Array): Promise<Pages> {
  const browser: Browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
  const server = await loopbackServer()
  const scripts: Record<string, string | Uint8Array> = {
    '/stowage.js': library,
    '/entry.js': ENTRY,
    '/own-worker.js': OWN_WORKER,
  }
  let policy: string | undefined
  server.use((request, response) => {
    const script = scripts[request.url!]
    if (policy) response.setHeader('content-security-policy', policy)
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
    response.end(script ?? HTML)
  })
  return {
    server,
    async open(options = {}) {
      policy = options.policy
      const context = await browser.newContext()
      const page = await context.newPage()
      const problems: string[] = []
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
      })
      page.on('pageerror', error => problems.push(error.message))
      if (options.before) await page.addInitScript(options.before)
      await page.goto(server.origin)
      await page.waitForFunction('window.stowage')
      return { page, context, problems }
    },
    async close() {
      await browser.close()
      await server.close()
    },
  }
}

/** Bytes that a page can be sent. */
export function sent(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
