/** A page on which photos are processed, for the tests of what becomes of them. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { ProcessImageOptions } from '../../src/browser/index.ts'
import { bundled, type Library, type PageOptions, type Pages, pages, sent } from './library-page.ts'

declare const stowage: Library

/** Each test opens its page; when it ends, the console must have had nothing to complain of. */
export class PhotoPage {
  page!: Page
  problems: string[] = []
  #pages!: Pages

  constructor(program: string) {
    beforeAll(async () => {
      this.#pages = await pages(program, await bundled())
    })
    afterAll(() => this.#pages?.close())
    afterEach(async () => {
      expect(this.problems).toEqual([])
      await this.close()
    })
  }

  async open(options?: PageOptions): Promise<void> {
    const { page, problems } = await this.#pages.open(options)
    this.page = page
    this.problems = problems
  }

  async close(): Promise<void> {
    await this.page?.context().close()
  }

  workers(): number {
    return this.page.workers().length
  }

  /** Processes bytes on the page; `kept` where the very same object came back. */
  async processed(image: Uint8Array, options: ProcessImageOptions = {}, type = '') {
    const { base64, ...result } = await this.page.evaluate(
      async ([base64, type, options]) => {
        const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
        const file = new File([bytes], 'photo', { type })
        const { blob, ...rest } = await stowage.processImage(file, options)
        const letters = Array.from(new Uint8Array(await blob.arrayBuffer()), byte =>
          String.fromCharCode(byte),
        )
        return { ...rest, base64: btoa(letters.join('')), kept: blob === file }
      },
      [sent(image), type, options] as const,
    )
    return { ...result, bytes: Buffer.from(base64, 'base64') }
  }

  /** The code and message that processing fails with. */
  failure(image: Uint8Array, options: ProcessImageOptions = {}, type = '') {
    return this.page.evaluate(
      async ([base64, type, options]) => {
        const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
        try {
          await stowage.processImage(new Blob([bytes], { type }), options)
        } catch (error) {
          if (stowage.isStorageError(error)) return { code: error.code, message: error.message }
          throw error
        }
      },
      [sent(image), type, options] as const,
    )
  }
}
