import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { build, root } from '../package/packed-package.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import type { RunningExample } from './run-example.ts'
import { bytesIn, LAKE, newFolder, removeFolders, startServer } from './saas-delete-server.ts'

beforeAll(build)
afterAll(removeFolders)

describeWithTool('chromium', 'the page of saas-delete', program => {
  let browser: Browser
  let server: RunningExample
  let folder: string
  let page: Page

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    folder = newFolder()
    server = await startServer(folder)
    page = await browser.newPage({ viewport: { width: 390, height: 780 } })
    await page.goto(server.said[1]!)
  })
  afterEach(async () => {
    await page?.close()
    await server?.kill('SIGTERM')
  })

  const row = (name: string) => page.getByRole('listitem').filter({ hasText: name })

  it('attaches files, saves one and deletes it as a person would', async () => {
    await page.getByText('Nothing is attached yet.').waitFor()
    const notes = join(root, 'examples/files/documents/notes.txt')
    await page.getByLabel('Choose files').setInputFiles([LAKE, notes])
    await row('notes.txt').getByRole('button').waitFor()
    expect(await page.getByRole('heading', { name: 'Files' }).textContent()).toBe('Files (2)')
    expect(bytesIn(folder)).toHaveLength(2)

    const saving = page.waitForEvent('download')
    await row('lake.jpg').getByRole('link').click()
    const saved = await saving
    expect(saved.suggestedFilename()).toBe('lake.jpg')
    expect(readFileSync((await saved.path())!)).toEqual(readFileSync(LAKE))

    await page.getByRole('button', { name: 'Delete lake.jpg' }).click()
    await page.getByRole('button', { name: 'Keep it' }).click()
    expect(await row('lake.jpg').count()).toBe(1)
    await page.getByRole('button', { name: 'Delete lake.jpg' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await row('lake.jpg').waitFor({ state: 'detached' })
    expect(await page.getByRole('status').textContent()).toBe('lake.jpg is deleted.')
    await page.reload()
    await row('notes.txt').waitFor()
    expect(await row('lake.jpg').count()).toBe(0)
    expect(bytesIn(folder)).toHaveLength(1)
  })

  it('says what failed, and shows a name as a name', async () => {
    const odd = join(newFolder(), '<img src=x onerror=alert(1)>.txt')
    writeFileSync(odd, 'text')
    await page.getByLabel('Choose files').setInputFiles(odd)
    await row('<img src=x').getByRole('button').waitFor()
    await page.route('**/attachments/*', route => route.abort())
    await page.getByRole('button', { name: 'Delete <img' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    const problem = page.getByRole('alert').getByRole('listitem')
    await problem.waitFor()
    expect(await problem.textContent()).toContain('The server was not reached.')
    await page.getByRole('button', { name: 'Dismiss' }).click()
    expect(await problem.count()).toBe(0)
    await page.unroute('**/attachments/*')
    await page.goto(`${server.said[1]}/attachments/none`)
    await page.getByText('That file is not there any more.').waitFor()
  })

  it('fits a phone, also with a name that is too long', async () => {
    const long = join(newFolder(), `${'long-name-'.repeat(15)}.pdf`)
    writeFileSync(long, 'text')
    await page.getByLabel('Choose files').setInputFiles(long)
    await row('long-name').getByRole('button').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  })
})
