import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { Download } from '../../src/core/download.ts'
import type { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import { fileServer, toNodeHandler, type UrlSigning } from '../../src/server/index.ts'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'

let server: LoopbackServer
let signing: UrlSigning
let files: StorageProvider
const reported: StorageError[] = []

beforeEach(async () => {
  server = await loopbackServer()
  signing = { baseUrl: `${server.origin}/files`, secret: 'a-secret-of-some-length' }
  files = memory({ signing })
  serve(files)
})
afterEach(() => server.close())

function serve(provider: StorageProvider) {
  reported.length = 0
  server.use(toNodeHandler(fileServer(provider, { signing, onError: error => void reported.push(error) })))
}

/** Provider whose next upload or download is told about when it ends. */
function watched(changes: (ended: (how: unknown) => void) => Partial<StorageProvider>) {
  let ended!: (how: unknown) => void
  const end = new Promise<unknown>(resolve => {
    ended = resolve
  })
  serve(forward(files, changes(ended)))
  return end
}

describe('over node:http', () => {
  it('serves and takes megabytes at the pace of the client', async () => {
    const bytes = new Uint8Array(8 * 1024 * 1024).map((_, i) => i % 251)
    const up = await files.signedUpload('big.bin', { expiresIn: 60, size: bytes.length })
    expect((await fetch(up.url, { method: 'PUT', body: bytes })).status).toBe(200)
    const { url } = await files.signedUrl('big.bin', { expiresIn: 60 })
    expect(Buffer.compare(Buffer.from(await (await fetch(url)).arrayBuffer()), bytes)).toBe(0)
    const part = await fetch(url, { headers: { range: 'bytes=5000000-5000999' } })
    expect(part.status).toBe(206)
    expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), bytes.subarray(5_000_000, 5_001_000))).toBe(
      0,
    )
  })

  it.each(['/a', 'a//b', 'a b%2Fc', 'ö😀', '//host/x', 'a?b#c'])('keeps the key %j whole', async key => {
    const up = await files.signedUpload(key, { expiresIn: 60 })
    expect((await fetch(up.url, { method: 'PUT', body: key })).status).toBe(200)
    expect(await (await files.download(key)).text()).toBe(key)
  })

  it('answers an upload that is too long while it is still being sent', async () => {
    const { url } = await files.signedUpload('a', { expiresIn: 60, maxSize: 1000 })
    const answer = await rawPut(url, { 'transfer-encoding': 'chunked' }, `10000\r\n${'x'.repeat(65_536)}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
    expect(await files.exists('a')).toBe(false)
  })

  it('answers HEAD and 304 over a connection that stays open', async () => {
    const { etag } = await files.upload('a', 'Hello')
    const { url } = await files.signedUrl('a', { expiresIn: 60 })
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', ''])
    const same = await fetch(url, { headers: { 'if-none-match': `"${etag}"` } })
    expect([same.status, await same.text()]).toEqual([304, ''])
  })

  it('stores nothing when the client hangs up in the middle of an upload', async () => {
    await files.upload('a', 'before')
    const end = watched(ended => ({
      upload: async (key, body, options) => {
        try {
          return await files.upload(key, body, options)
        } catch (error) {
          ended((error as StorageError).code)
          throw error
        }
      },
    }))
    const { url } = await files.signedUpload('a', { expiresIn: 60, size: 100_000 })
    const { port, pathname, search } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n`)
    socket.write('x'.repeat(50_000), () => socket.destroy())
    expect(await end).toBe('aborted')
    expect(await (await files.download('a')).text()).toBe('before')
    expect(reported).toEqual([])
  })

  it("cancels the provider's stream when the client hangs up in the middle of a download", async () => {
    const end = watched(ended => ({ download: async () => endlessDownload(ended) }))
    const { url } = await files.signedUrl('a', { expiresIn: 60 })
    const response = await get(url)
    await once(response, 'data')
    response.destroy()
    expect(await end).toBe('cancelled')
    expect(reported).toEqual([])
  })

  it('stops reading from the store while the client does not read', async () => {
    let given = 0
    const end = watched(ended => ({
      download: async () =>
        endlessDownload(ended, () => {
          given += 65_536
        }),
    }))
    const { url } = await files.signedUrl('a', { expiresIn: 60 })
    const response = await get(url)
    response.pause()
    // What fits into the buffers of two sockets is read ahead; then it stands still.
    let before = -1
    while (given !== before) {
      before = given
      for (let turn = 0; turn < 200; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    expect(given).toBeLessThan(64 * 1024 * 1024)
    response.destroy()
    expect(await end).toBe('cancelled')
  })

  it('breaks the connection when the store fails in the middle: short data is no success', async () => {
    async function* chunks() {
      yield new Uint8Array(10)
      throw new Error('disk gone')
    }
    watched(() => ({
      download: async () => new Download({ info: { key: 'a', size: 100 }, source: { chunks, cancel() {} } }),
    }))
    const { url } = await files.signedUrl('a', { expiresIn: 60 })
    await expect(fetch(url).then(response => response.arrayBuffer())).rejects.toThrow()
    expect(reported.map(error => error.code)).toEqual(['internal'])
  })

  it('refuses what is no request for a file without falling over', async () => {
    for (const line of ['TRACE /files/a HTTP/1.1', 'GET * HTTP/1.1', 'GET http://other/files/a HTTP/1.1']) {
      const answer = await raw(server.port, `${line}\r\nhost: x\r\nconnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 40[345] /)
    }
    const answer = await raw(server.port, 'GET /files/a HTTP/1.1\r\nhost: a b/c\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
  })
})

function endlessDownload(ended: (how: unknown) => void, onChunk = () => {}): Download {
  async function* chunks() {
    for (;;) {
      onChunk()
      yield new Uint8Array(65_536)
    }
  }
  return new Download({
    info: { key: 'a', size: Number.MAX_SAFE_INTEGER },
    source: { chunks, cancel: () => ended('cancelled') },
  })
}

function get(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => httpRequest(url, resolve).once('error', reject).end())
}

function rawPut(url: string, headers: Record<string, string>, body: string): Promise<string> {
  const { port, pathname, search } = new URL(url)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return raw(
    Number(port),
    `PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\n${lines.join('')}\r\n${body}0\r\n\r\n`,
  )
}

/** What the server answers to these bytes, up to the end of the connection. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.setEncoding('utf8').on('data', text => {
      answer += text
    })
    socket.once('close', () => resolve(answer)).once('error', reject)
  })
}
