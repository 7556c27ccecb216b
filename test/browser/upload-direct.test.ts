import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { SentSignedUpload, UploadDirectOptions } from '../../src/browser/index.ts'
import { fileServer, toNodeHandler } from '../../src/server/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'
import { bundled, type Library, type Pages, pages } from './library-page.ts'

declare const stowage: Library

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

const SECRET = 'X-Amz-Signature=5ecret'

describeWithTool('chromium', 'uploadDirect in Chromium', program => {
  let opened: Pages
  let store: LoopbackServer
  let page: Page
  let problems: string[]
  /** What the store got: whole requests only. */
  let got: { method: string; headers: IncomingMessage['headers']; body: Buffer }[]

  beforeAll(async () => {
    opened = await pages(program, await bundled())
    store = await loopbackServer()
  })
  afterAll(async () => {
    await opened?.close()
    await store?.close()
  })
  beforeEach(async () => {
    ;({ page, problems } = await opened.open())
  })
  afterEach(() => page?.context().close())

  /** A store of another origin that answers one try after the other. */
  function answers(...tries: (Answer | number)[]): void {
    got = []
    let next = 0
    store.use(async (request, response) => {
      response.setHeader('access-control-allow-origin', '*')
      response.setHeader('access-control-expose-headers', 'ETag, Retry-After')
      response.setHeader('access-control-allow-headers', '*')
      response.setHeader('access-control-allow-methods', 'PUT, POST')
      // A new connection for each request: on one in use, Chromium repeats what broke by itself, unseen.
      response.setHeader('connection', 'close')
      if (request.method === 'OPTIONS') return void response.end()
      const answer = tries[Math.min(next++, tries.length - 1)]!
      if (answer === HANG_UP) return void request.socket.destroy()
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks)
      got.push({ method: request.method!, headers: request.headers, body })
      if (typeof answer === 'number') response.writeHead(answer).end()
      else answer(request, response, body)
    })
  }
  const HANG_UP = -1

  const target = (): SentSignedUpload => ({
    method: 'PUT',
    url: `${store.origin}/bucket/photo.jpg?${SECRET}`,
    headers: { 'content-type': 'image/jpeg' },
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  })

  /** Uploads so many bytes; what it gave or failed with, and what was told on the way. */
  function upload(
    signed: SentSignedUpload,
    bytes = 5,
    options: UploadDirectOptions & { abortAt?: number; renewTo?: SentSignedUpload } = {},
  ) {
    return page.evaluate(
      async ([signed, bytes, { abortAt, renewTo, ...options }]) => {
        const told: { loaded: number; total: number }[] = []
        const retries: { attempt: number; delayMs: number; code: string }[] = []
        const stop = new AbortController()
        const outcome = await stowage
          .uploadDirect(signed, new Blob([new Uint8Array(bytes).fill(7)], { type: 'text/plain' }), {
            minDelayMs: 1,
            ...options,
            signal: stop.signal,
            renew: renewTo && (() => Promise.resolve(renewTo)),
            onRetry: ({ error, ...retry }) => retries.push({ ...retry, code: error.code }),
            onProgress: progress => {
              told.push(progress)
              if (abortAt !== undefined && progress.loaded >= abortAt) stop.abort()
            },
          })
          .then(
            done => ({ done, failed: undefined }),
            error => ({ done: undefined, failed: { ...error, message: String(error.message) } }),
          )
        return { ...outcome, told, retries }
      },
      [signed, bytes, options] as const,
    )
  }

  it('puts the bytes with the signed headers and tells how far it is', async () => {
    answers((_, response) => response.setHeader('etag', '"abc"').end())
    const size = 60_000_000
    const { done, told } = await upload(target(), size)
    expect(done).toEqual({ etag: 'abc', attempts: 1 })
    expect(got[0]!.headers['content-type']).toBe('image/jpeg')
    expect(got[0]!.body.equals(Buffer.alloc(size, 7))).toBe(true)
    expect(told.length).toBeGreaterThan(1)
    expect(told.map(({ loaded }) => loaded)).toEqual(told.map(({ loaded }) => loaded).sort((a, b) => a - b))
    expect(told.at(-1)).toEqual({ loaded: size, total: size })
    expect(problems).toEqual([])
  })

  it('goes on when the page makes a mistake in what it does with the progress, and leaves the mistake to be seen', async () => {
    answers(200)
    const done = await page.evaluate(
      signed =>
        stowage.uploadDirect(signed, new Blob(['bytes']), {
          onProgress: () => {
            throw new Error('a mistake of the page')
          },
        }),
      target(),
    )
    expect(done).toEqual({ attempts: 1 })
    expect(new Set(problems)).toEqual(new Set(['a mistake of the page']))
  })

  it('posts a form with the signed fields first and the file last', async () => {
    answers(204)
    const { done, told } = await upload({
      method: 'POST',
      url: `${store.origin}/bucket`,
      fields: { key: 'photo.jpg', Policy: 'p==' },
      expiresAt: target().expiresAt,
      uploadId: 'u1',
    })
    expect(done).toEqual({ uploadId: 'u1', attempts: 1 })
    const { headers, body } = got[0]!
    const form = await new Response(new Uint8Array(body), {
      headers: { 'content-type': headers['content-type']! },
    }).formData()
    expect([...form.keys()]).toEqual(['key', 'Policy', 'file'])
    expect(form.get('Policy')).toBe('p==')
    expect(await (form.get('file') as File).text()).toBe('\x07'.repeat(5))
    expect(told.at(-1)).toEqual({ loaded: 5, total: 5 })
    expect(problems).toEqual([])
  })

  it('uploads to the file server by the URL that a provider signed', async () => {
    const signing = { baseUrl: `${store.origin}/files`, secret: 'a-secret-of-some-length' }
    const files = memory({ signing })
    store.use(toNodeHandler(fileServer(files, { signing, cors: { origins: [opened.server.origin] } })))
    const signed = await files.signedUpload('a/photo.jpg', {
      expiresIn: 60,
      contentType: 'image/jpeg',
      size: 9,
    })
    const { done } = await upload(JSON.parse(JSON.stringify(signed)), 9)
    const info = await files.info('a/photo.jpg')
    expect(info).toMatchObject({ size: 9, contentType: 'image/jpeg' })
    expect(done?.etag).toBe(info.etag)
    expect(problems).toEqual([])
    const { failed } = await upload(signed, 8)
    expect(failed).toMatchObject({ code: 'invalid-argument' })
  })

  it('tries again after a connection that broke and after a server that can not just now', async () => {
    answers(HANG_UP, 503, 429, 408, 200)
    const { done, retries } = await upload(target(), 5_000_000)
    expect(done).toEqual({ attempts: 5 })
    expect(retries.map(({ attempt, code }) => [attempt, code])).toEqual([
      [2, 'unavailable'],
      [3, 'unavailable'],
      [4, 'rate-limited'],
      [5, 'timeout'],
    ])
    expect(got.at(-1)!.body).toHaveLength(5_000_000)
  })

  it('gives up after the tries it may make, with no URL in the message', async () => {
    answers(500)
    const { failed, retries } = await upload(target(), 5, { attempts: 3 })
    expect(got).toHaveLength(3)
    expect(retries).toHaveLength(2)
    expect(failed).toMatchObject({ code: 'unavailable', status: 500, retryable: true, uncertain: true })
    expect(failed.message).not.toMatch(/http|5ecret|photo/)
  })

  it.each([
    [400, 'invalid-argument', ''],
    [403, 'permission-denied', '<Error><Code>SignatureDoesNotMatch</Code></Error>'],
    [
      400,
      'permission-denied',
      '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
    ],
    [404, 'not-found', ''],
    [412, 'precondition-failed', '<Error><Code>PreconditionFailed</Code></Error>'],
    [412, 'already-exists', '{"error":{"code":"already-exists","message":"…"}}'],
    [
      400,
      'already-exists',
      '{"statusCode":"409","error":"Duplicate","message":"The resource already exists"}',
    ],
    [400, 'too-large', '<Error><Code>EntityTooLarge</Code></Error>'],
    [413, 'too-large', ''],
  ])('never repeats what is refused with %i: %s', async (status, code, text) => {
    answers((_, response) => response.writeHead(status).end(text))
    const { failed } = await upload(target())
    expect(got).toHaveLength(1)
    expect(failed).toMatchObject({ code, retryable: false })
    expect(failed.uncertain).toBeUndefined()
    expect(failed.message).not.toMatch(/http|5ecret|photo/)
  })

  it('is uncertain of a conflict after an answer that was lost: it may be its own file', async () => {
    answers((request, _, body) => {
      expect(body).toHaveLength(5)
      request.socket.destroy()
    }, 412)
    const { failed, retries } = await upload(target())
    expect(retries).toHaveLength(1)
    expect(failed).toMatchObject({ code: 'precondition-failed', uncertain: true })
  })

  it('gives up a try in which nothing moves any more, and makes another', async () => {
    answers(() => {}, 200)
    const { done, retries } = await upload(target(), 5, { stallMs: 300 })
    expect(done).toEqual({ attempts: 2 })
    expect(retries[0]).toMatchObject({ code: 'timeout' })
  })

  it('stops sending when it is told to', async () => {
    let closed: Promise<boolean> | undefined
    got = []
    store.use((request, response) => {
      response.setHeader('access-control-allow-origin', '*')
      response.setHeader('access-control-allow-headers', '*')
      response.setHeader('access-control-allow-methods', 'PUT')
      if (request.method === 'OPTIONS') return void response.end()
      // Slowly, so that the end comes while bytes are still on their way.
      request.on('data', () => {
        request.pause()
        setTimeout(() => request.resume(), 5)
      })
      closed = new Promise(resolve => request.once('close', () => resolve(request.complete)))
    })
    const { failed } = await upload(target(), 30_000_000, { abortAt: 1 })
    expect(failed).toMatchObject({ code: 'aborted', retryable: false })
    expect(await closed).toBe(false)
    expect(problems).toEqual([])
  })

  it('asks for another URL where the one at hand is refused, once in a row', async () => {
    const renewed = { ...target(), url: `${store.origin}/second` }
    answers(403, 200)
    expect((await upload(target(), 5, { renewTo: renewed })).done).toEqual({ attempts: 2 })
    answers(403)
    expect((await upload(target(), 5, { renewTo: renewed })).failed).toMatchObject({
      code: 'permission-denied',
    })
    expect(got).toHaveLength(2)
  })

  it('asks for another URL before it sends by one that has expired', async () => {
    answers(403, 200)
    const old = { ...target(), expiresAt: new Date(0).toISOString() }
    expect((await upload(old, 5, { renewTo: target() })).failed).toBeUndefined()
    answers(403)
    const { failed } = await upload(old)
    expect(failed).toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('has expired'),
    })
  })

  it('sends by a URL that only the clock of the device holds for expired', async () => {
    answers(200)
    expect((await upload({ ...target(), expiresAt: new Date(0).toISOString() })).done).toEqual({
      attempts: 1,
    })
  })

  it('waits for a network, or fails at once where it shall', async () => {
    answers(200)
    await page.context().setOffline(true)
    const { failed } = await upload(target(), 5, { offline: 'fail' })
    expect(failed).toMatchObject({ code: 'unavailable' })
    const waiting = upload(target())
    await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 50)))
    expect(got).toEqual([])
    await page.context().setOffline(false)
    expect((await waiting).done).toEqual({ attempts: 1 })
  })

  it('names CORS where a store does not let the page in', async () => {
    store.use((_, response) => response.end())
    const { failed } = await upload(target(), 5, { attempts: 1 })
    expect(failed).toMatchObject({ code: 'unavailable', message: expect.stringContaining('CORS') })
    expect(failed.message).not.toMatch(/http|5ecret/)
  })

  it('leaves a header alone that the store does not expose', async () => {
    store.use((request, response) => {
      response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*')
      response.setHeader('access-control-allow-methods', 'PUT').setHeader('etag', '"hidden"')
      request.resume().once('end', () => response.end())
    })
    expect((await upload(target())).done).toEqual({ attempts: 1 })
    expect(problems).toEqual([])
  })

  it('refuses what is no signed upload, and a size that was not signed, before it sends', async () => {
    answers(200)
    const sized = { ...target(), headers: { 'Content-Length': '6' } }
    expect((await upload(sized as SentSignedUpload)).failed).toMatchObject({ code: 'invalid-argument' })
    for (const wrong of [{}, { url: target().url }, { ...target(), method: 'GET' }])
      expect((await upload(wrong as SentSignedUpload)).failed).toMatchObject({ code: 'invalid-argument' })
    expect(got).toEqual([])
  })
})
