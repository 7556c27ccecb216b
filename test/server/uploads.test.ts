import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import { forward } from '../../src/decorators/forward.ts'
import { fileServer } from '../../src/server/index.ts'
import { refused } from '../support/refused.ts'
import { codeOf, servedMemory, signedPut, signing } from './served-memory.ts'

async function* chunks(count: number, bytes = 1000) {
  for (let i = 0; i < count; i++) yield new Uint8Array(bytes)
}

/** A body whose length no header tells. */
function streamed(source: AsyncIterable<Uint8Array>): RequestInit & { duplex: 'half' } {
  return { body: ReadableStream.from(source), duplex: 'half', method: 'PUT' }
}

describe('a signed upload', () => {
  it('stores the bytes with their type and answers with the etag', async () => {
    const { files, ask } = servedMemory()
    const { url, method, headers } = await signedPut(files, 'a/x.png', {
      expiresIn: 60,
      contentType: 'image/png',
      size: 3,
    })
    const response = await ask(url, { method, headers, body: 'png' })
    expect(response.status).toBe(200)
    const info = await files.info('a/x.png')
    expect(info).toMatchObject({ size: 3, contentType: 'image/png' })
    expect(response.headers.get('etag')).toBe(`"${info.etag}"`)
    expect(await response.json()).toMatchObject({ key: 'a/x.png', size: 3, etag: info.etag })
  })

  it('finds the type where neither the URL nor the client says one', async () => {
    const { files, ask } = servedMemory()
    const { url } = await files.signedUpload('a/notes', { expiresIn: 60 })
    await ask(url, { method: 'PUT', body: new TextEncoder().encode('plain words') })
    expect((await files.info('a/notes')).contentType).toBe('text/plain')
  })

  it('refuses another type than the signed one, and none', async () => {
    const { files, ask } = servedMemory()
    const { url } = await files.signedUpload('a', { expiresIn: 60, contentType: 'image/png' })
    for (const headers of [{ 'content-type': 'text/html' }, undefined] as const) {
      const response = await ask(url, { method: 'PUT', headers, body: new Uint8Array(3) })
      expect([response.status, await codeOf(response)]).toEqual([403, 'wrong-content-type'])
    }
    expect(await files.exists('a')).toBe(false)
  })

  it.each<[string, { size?: number; maxSize?: number }, RequestInit & { duplex?: 'half' }, number]>([
    ['declared longer than maxSize', { maxSize: 10 }, { body: 'x'.repeat(11) }, 413],
    ['declared longer than size', { size: 10 }, { body: 'x'.repeat(11) }, 413],
    ['declared shorter than size', { size: 10 }, { body: 'x'.repeat(9) }, 400],
    ['longer than maxSize without a length', { maxSize: 2500 }, streamed(chunks(3)), 413],
    ['longer than size without a length', { size: 2500 }, streamed(chunks(3)), 413],
    ['shorter than size without a length', { size: 2500 }, streamed(chunks(2)), 400],
    ['empty where bytes are due', { size: 1 }, {}, 400],
  ])('stores nothing of a body that is %s', async (_, limits, init, status) => {
    const { files, ask } = servedMemory()
    await files.upload('a', 'before')
    const { url } = await files.signedUpload('a', { expiresIn: 60, ...limits })
    const headers: Record<string, string> =
      typeof init.body === 'string' ? { 'content-length': String(init.body.length) } : {}
    const response = await ask(url, { method: 'PUT', headers, ...init })
    expect(response.status).toBe(status)
    expect(await (await files.download('a')).text()).toBe('before')
  })

  it('stops reading as soon as there is a byte too many', async () => {
    const { files, ask } = servedMemory()
    const { url } = await files.signedUpload('a', { expiresIn: 60, maxSize: 5000 })
    let sent = 0
    async function* endless() {
      for (;;) {
        sent += 1000
        yield new Uint8Array(1000)
      }
    }
    expect((await ask(url, streamed(endless()))).status).toBe(413)
    expect(sent).toBeLessThan(10_000)
  })

  it('takes exactly the largest size, and an empty body', async () => {
    const { files, ask } = servedMemory()
    const most = await files.signedUpload('most', { expiresIn: 60, maxSize: 3000 })
    expect((await ask(most.url, streamed(chunks(3)))).status).toBe(200)
    const none = await files.signedUpload('none', { expiresIn: 60, size: 0 })
    expect((await ask(none.url, { method: 'PUT' })).status).toBe(200)
    expect((await files.info('none')).size).toBe(0)
  })

  it('holds URLs that name no size to the limit of the server', async () => {
    const { files, ask } = servedMemory({ maxUploadBytes: 10 })
    const { url } = await files.signedUrl('a', { expiresIn: 60, method: 'PUT' })
    expect((await ask(url, streamed(chunks(1)))).status).toBe(413)
    expect((await ask(url, { method: 'PUT', body: 'short' })).status).toBe(200)
  })

  it('keeps the cache-control that is meant for the file, not what a browser says of its own cache', async () => {
    const { files, ask } = servedMemory()
    const { url } = await files.signedUpload('a', { expiresIn: 60 })
    await ask(url, { method: 'PUT', body: 'x', headers: { 'cache-control': 'public, max-age=60' } })
    expect((await files.info('a')).cacheControl).toBe('public, max-age=60')
    await ask(url, { method: 'PUT', body: 'x', headers: { 'cache-control': 'no-cache' } })
    expect((await files.info('a')).cacheControl).toBeUndefined()
  })

  it('keeps If-None-Match and If-Match', async () => {
    const { files, ask } = servedMemory()
    const { url } = await files.signedUpload('a', { expiresIn: 60 })
    const put = async (headers: Record<string, string>) =>
      (await ask(url, { method: 'PUT', body: 'x', headers })).status
    expect(await put({ 'if-none-match': '*' })).toBe(200)
    expect(await put({ 'if-none-match': '*' })).toBe(412)
    expect(await put({ 'if-match': '"other"' })).toBe(412)
    expect(await put({ 'if-match': `"${(await files.info('a')).etag}"` })).toBe(200)
    expect(await put({ 'if-match': '"a", "b"' })).toBe(400)
  })

  it('leaves what was there when the body breaks off', async () => {
    const { files, ask } = servedMemory()
    await files.upload('a', 'before')
    const { url } = await files.signedUpload('a', { expiresIn: 60 })
    async function* broken() {
      yield new Uint8Array(1000)
      throw new Error('gone')
    }
    expect((await ask(url, streamed(broken()))).status).toBe(400)
    expect(await (await files.download('a')).text()).toBe('before')
  })
})

describe('a signed delete', () => {
  it('deletes, also what is not there, and keeps If-Match', async () => {
    const { files, ask } = servedMemory()
    await files.upload('a', 'x')
    const { url } = await files.signedUrl('a', { expiresIn: 60, method: 'DELETE' })
    expect((await ask(url, { method: 'DELETE', headers: { 'if-match': '"other"' } })).status).toBe(412)
    expect((await ask(url, { method: 'DELETE' })).status).toBe(204)
    expect(await files.exists('a')).toBe(false)
    expect((await ask(url, { method: 'DELETE' })).status).toBe(204)
  })
})

describe('a store that fails', () => {
  it.each([
    [new StorageError('unavailable', 'secret detail'), 503, '1'],
    [new StorageError('rate-limited', 'secret detail', { retryAfterMs: 4200 }), 503, '5'],
    [new StorageError('internal', 'secret detail'), 500, null],
    [new StorageError('unauthenticated', 'secret detail'), 500, null],
    [new TypeError('secret detail'), 500, null],
  ])('is a status without details, and reported (%#)', async (failure, status, retryAfter) => {
    const inner = memory({ signing })
    const reported: StorageError[] = []
    const handler = fileServer(forward(inner, { download: () => Promise.reject(failure) }), {
      signing,
      onError: error => void reported.push(error),
    })
    const response = await handler(new Request((await inner.signedUrl('a', { expiresIn: 60 })).url))
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter])
    expect(await response.text()).not.toContain('secret')
    expect(reported).toHaveLength(1)
  })
})

describe('options', () => {
  const files = memory({ signing })

  it.each<[unknown, RegExp]>([
    [{ inlineType: [] }, /^fileServer: unknown option 'inlineType'; known are signing, public/],
    [{ signing: undefined }, /^signing: options must be an object/],
    [{ signing: { ...signing, previousSecret: [] } }, /^signing: unknown option 'previousSecret'/],
    [{ public: ['a/'] }, /public must be a string or a function/],
    [{ inlineTypes: 'text/html' }, /inlineTypes must be an array/],
    [{ inlineTypes: [/html/] }, /inlineTypes must be strings/],
    [{ contentSecurityPolicy: true }, /contentSecurityPolicy must be a string or false/],
    [{ crossOriginResourcePolicy: 'none' }, /crossOriginResourcePolicy must be 'same-origin'/],
    [{ cors: true }, /cors must be an object/],
    [{ cors: { origin: '*' } }, /cors: unknown option 'origin'; known are origins, maxAgeSeconds/],
    [{ cors: {} }, /cors.origins must be '\*' or a list/],
    [{ cors: { origins: 'https://example.org' } }, /cors.origins must be '\*' or a list/],
    [{ cors: { origins: [/example/] } }, /cors.origins must be '\*' or a list/],
    [{ cors: { origins: '*', maxAgeSeconds: 0.5 } }, /cors.maxAgeSeconds must be a whole number/],
    [{ cacheControl: 60 }, /cacheControl must be a string/],
    [{ maxUploadBytes: -1 }, /maxUploadBytes must be a whole number/],
    [{ maxUploadBytes: '5' }, /maxUploadBytes must be a number/],
    [{ basePath: /files/ }, /basePath must be a string/],
    [{ onError: 'log' }, /onError must be a function/],
    [{ now: 5 }, /now must be a function/],
  ])('%o are refused', (options, message) => {
    expect(() => fileServer(files, { signing, ...(options as object) })).toThrow(refused(message))
  })

  it.each([[undefined], [null], [{}], [Promise.resolve(files)]])('serve no %o', provider => {
    expect(() => fileServer(provider as never, { signing })).toThrow(
      refused(/^fileServer: the first argument must be a provider/),
    )
  })

  it.each([[undefined], [null], ['secret']])('are no %o', options => {
    expect(() => fileServer(files, options as never)).toThrow(
      refused(/^fileServer: options must be an object/),
    )
  })

  it('are refused with a short secret', () => {
    expect(() => fileServer(files, { signing: { ...signing, secret: 'short' } })).toThrow(/16/)
  })
})
