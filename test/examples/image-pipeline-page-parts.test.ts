import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newBucket } from '../adapters/s3/bucket.ts'
import { build, root } from '../package/packed-package.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'
import { shownImage } from './image-pipeline-in-page.js'
import { WAIT_MS } from './image-pipeline-on-page.ts'
import {
  CHROMIUM_FLAGS,
  newFolder,
  REAL_IMGPROXY,
  removeFolders,
  startServer,
} from './image-pipeline-server.ts'

beforeAll(build)
afterAll(removeFolders)

describeOnS3Server('minio', 'image-pipeline', server => {
  describeWithTool('chromium', 'its page, where nothing but the page is of its origin', program => {
    let browser: Browser
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: program, args: CHROMIUM_FLAGS })
    })
    afterAll(() => browser?.close())

    it.each([
      ['the handler for development', {} as Record<string, string>] as const,
      ...(REAL_IMGPROXY === undefined ? [] : [['a real imgproxy', REAL_IMGPROXY] as const]),
    ])('sends to the bucket, and shows on the canvas what %s makes', async (_, env) => {
      const { bucket } = await newBucket(server)
      const running = await startServer(newFolder(), {
        STOWAGE_URL: `s3://${bucket}?endpoint=${server.endpoint}&region=${server.region}`,
        AWS_ACCESS_KEY_ID: server.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
        ...env,
      })
      const page = await browser.newPage()
      page.setDefaultTimeout(WAIT_MS)
      try {
        const complaints: string[] = []
        page.on('console', message => {
          if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`)
        })
        page.on('pageerror', error => complaints.push(error.message))
        const sent: string[] = []
        page.on('request', request => {
          if (request.method() === 'PUT') sent.push(new URL(request.url()).origin)
        })
        await page.goto(running.url)
        await page.getByLabel('Choose photos').setInputFiles(join(root, 'examples/files/photos/lake.jpg'))
        await page.locator('.tile img.loaded').waitFor()
        await page.getByAltText('lake').click()
        await page.locator('#stage[data-shows="original"] canvas').waitFor()
        expect(sent).toEqual([server.endpoint])
        const { url, originUrl } = await page.evaluate(shownImage)
        expect(url.startsWith(server.endpoint)).toBe(true)
        expect(originUrl.startsWith(env.IMGPROXY_URL ?? running.url)).toBe(true)
        // A canvas gives pixels away only where every image was allowed to this page.
        await page.getByRole('button', { name: 'Mono' }).click()
        await page.getByRole('button', { name: 'Save as a version' }).click()
        await page.getByText('Generated · 1600 × 1066 · version 2 of 2').waitFor()
        await page.getByRole('button', { name: 'Delete' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
        await page.getByText('Original · 1600 × 1066', { exact: true }).waitFor()
        expect(complaints).toEqual([])
      } finally {
        await page.close()
        await running.kill('SIGTERM')
      }
    })

    if (REAL_IMGPROXY === undefined)
      it.skip('shows what a real imgproxy makes [skipped: STOWAGE_TEST_IMGPROXY_URL names none]', () => {})
  })
})
