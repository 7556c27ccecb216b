/** The page of `examples/image-pipeline` in Chromium: a server, a visitor and what both of them do. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { build } from '../package/packed-package.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { feedImages } from './image-pipeline-in-page.js'
import { CHROMIUM_FLAGS, newFolder, removeFolders, startServer } from './image-pipeline-server.ts'

export const PHONE = { width: 390, height: 844 }
export const DESK = { width: 1280, height: 860 }

/** Each wait by itself, however busy the machine is; and a test, which is a dozen of them. */
export const WAIT_MS = 30_000
const TEST_MS = 240_000

/** What a test has at hand; its own for each test. */
export interface OnPage {
  page: Page
  server: Awaited<ReturnType<typeof startServer>>
  folder: string
  /** What a test causes on purpose: a browser reports answers that are refused. */
  expected: RegExp | undefined
}

/** Declares tests, each with a server, a folder and a browser of its own; one fails where the console has complaints. */
export function describeOnPage(title: string, declare: (at: OnPage) => void): void {
  describeWithTool('chromium', title, program => {
    vi.setConfig({ testTimeout: TEST_MS })
    beforeAll(build)
    afterAll(removeFolders)
    let browser: Browser
    let context: BrowserContext
    let complaints: string[]
    const at = {} as OnPage

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: program, args: CHROMIUM_FLAGS })
    })
    afterAll(() => browser?.close())
    beforeEach(async () => {
      complaints = []
      at.expected = undefined
      at.folder = newFolder()
      at.server = await startServer(at.folder)
      context = await browser.newContext({ viewport: DESK, reducedMotion: 'reduce' })
      context.setDefaultTimeout(WAIT_MS)
      at.page = await context.newPage()
      at.page.on('console', message => {
        if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`)
      })
      at.page.on('pageerror', error => complaints.push(error.message))
    })
    afterEach(async () => {
      await context?.close()
      await at.server?.kill('SIGTERM')
      const said = at.server?.output() ?? ''
      expect(
        complaints.filter(text => at.expected?.test(text) !== true),
        said,
      ).toEqual([])
    })
    declare(at)
  })
}

/** What visitors do, in words. */
export function actionsOn(at: OnPage) {
  const tile = (alt: string) =>
    at.page.getByRole('listitem').filter({ has: at.page.getByAltText(alt, { exact: true }) })
  return {
    tile,
    file(name: string, bytes: Uint8Array): string {
      const path = join(at.folder, 'chosen', name)
      mkdirSync(join(at.folder, 'chosen'), { recursive: true })
      writeFileSync(path, bytes)
      return path
    },
    open: () => at.page.goto(at.server.url),
    choose: (...paths: string[]) => at.page.getByLabel('Choose photos').setInputFiles(paths),
    loaded: (alt: string) => tile(alt).locator('img.loaded').waitFor(),
    said: (words: string) =>
      at.page.getByRole('status').filter({ hasText: words }).waitFor({ state: 'attached' }),
    shows: (stage: string) => at.page.locator(`#stage[data-shows="${stage}"]`).waitFor(),
    feed: () => at.page.evaluate(feedImages),
    fits: () => at.page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
    /** Holds requests until the returned function is called. */
    async hold(pattern: RegExp): Promise<() => void> {
      let release!: () => void
      const released = new Promise<void>(resolve => {
        release = resolve
      })
      await at.page.route(pattern, async route => {
        await released
        await route.continue().catch(() => {})
      })
      return release
    },
  }
}
