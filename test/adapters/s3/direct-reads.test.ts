import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Agent } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type S3Options, s3 } from '../../../src/adapters/s3/index.ts'
import { eventually } from '../../support/eventually.ts'
import { hasCode } from '../../support/has-code.ts'
import { loopbackServer } from '../../support/loopback-server.ts'
import { ETAG, errorXml, OBJECT_HEADERS } from './fake-s3.ts'

const MIB = 2 ** 20
const CONTENT = Buffer.alloc(4 * MIB)
for (let at = 0; at < CONTENT.length; at += 4) CONTENT.writeUInt32LE(at, at)
const ETAG_VALUE = ETAG.slice(1, -1)

/** `answer` gets each request, counted from 0, with the bytes that it asks for. */
async function serving(
  answer: (asked: {
    bytes: Buffer
    headers: Record<string, string>
    index: number
    response: ServerResponse
  }) => void,
  options: Partial<S3Options> = {},
) {
  const server = await loopbackServer()
  const sockets = new Set<Socket>()
  let requests = 0
  server.use((incoming: IncomingMessage, response) => {
    sockets.add(incoming.socket)
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '') ?? []
    const bytes = CONTENT.subarray(Number(start), Number(end) + 1)
    const headers = {
      ...OBJECT_HEADERS,
      'content-range': `bytes ${start}-${Number(start) + bytes.length - 1}/${CONTENT.length}`,
      'content-length': String(bytes.length),
    }
    answer({ bytes, headers, index: requests++, response })
  })
  const files = s3({
    bucket: 'photos',
    endpoint: server.origin,
    forcePathStyle: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'hush-hush-hush' },
    ...options,
  } as S3Options)
  onTestFinished(async () => {
    await files.close()
    await server.close()
  })
  async function read(
    start: number,
    into: Uint8Array,
    more: { ifMatch?: string; signal?: AbortSignal } = {},
  ) {
    const range = { start, end: start + into.length - 1 }
    const download = await files.download('a', { range, into, ...more })
    const chunks: Uint8Array[] = []
    for await (const chunk of download) chunks.push(chunk)
    return { download, chunks, bytes: Buffer.concat(chunks) }
  }
  return { read, files, sockets, requests: () => requests }
}

const whole: Parameters<typeof serving>[0] = ({ bytes, headers, response }) =>
  response.writeHead(206, headers).end(bytes)

describe('a range that is read into memory', () => {
  test('is in that memory, its only chunk, and one connection serves one after the other', async () => {
    const { read, sockets } = await serving(whole)
    const into = Buffer.alloc(MIB)
    for (const start of [0, 100, 2 * MIB]) {
      const { chunks, download } = await read(start, into)
      expect(chunks).toHaveLength(1)
      expect(chunks[0]).toBe(into)
      expect(into.equals(CONTENT.subarray(start, start + MIB))).toBe(true)
      expect(download.info).toMatchObject({ key: 'a', size: CONTENT.length, etag: ETAG_VALUE })
      expect(download.range).toEqual({ offset: start, length: MIB })
    }
    expect(sockets.size).toBe(1)
  })

  test('comes in pieces of any length, those of its head too', async () => {
    const { read } = await serving(({ bytes, headers, response }) => {
      const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      const pieces = [
        'HTTP/1.1 206 Partial',
        ' Content\r\n',
        ...head,
        '\r',
        '\n',
        bytes.subarray(0, 1),
        bytes.subarray(1),
      ]
      const socket = response.socket!
      const next = () => {
        const piece = pieces.shift()
        if (piece !== undefined) socket.write(piece, () => setImmediate(next))
      }
      socket.setNoDelay(true)
      next()
    })
    const { chunks, bytes } = await read(5, Buffer.alloc(MIB))
    expect(chunks).toHaveLength(1)
    expect(bytes.equals(CONTENT.subarray(5, 5 + MIB))).toBe(true)
  })

  test('is asked for anew where the connection breaks, or the kept one has ended', async () => {
    const { read, requests } = await serving(({ bytes, headers, index, response }) => {
      const socket = response.socket!
      response.writeHead(206, headers)
      if (index === 0) response.write(bytes.subarray(0, MIB / 2), () => socket.destroy())
      else response.end(bytes, () => socket.end())
    })
    for (const start of [0, 1, 2]) {
      const { bytes } = await read(start, Buffer.alloc(MIB))
      expect(bytes.equals(CONTENT.subarray(start, start + MIB))).toBe(true)
    }
    expect(requests()).toBeGreaterThanOrEqual(4)
  })

  test('comes the ordinary way from a server that frames it otherwise, which is not tried twice', async () => {
    const { read, requests } = await serving(({ bytes, headers, index, response }) => {
      const { 'content-length': _, ...rest } = headers
      // Only once: the ordinary way wants a length, too.
      response.writeHead(206, index === 0 ? { ...rest, 'transfer-encoding': 'chunked' } : headers).end(bytes)
    })
    for (const start of [0, 7]) {
      const into = Buffer.alloc(MIB)
      const { bytes, chunks } = await read(start, into)
      expect(bytes.equals(CONTENT.subarray(start, start + MIB))).toBe(true)
      expect(chunks).not.toContain(into)
    }
    expect(requests()).toBe(3)
  })

  test.each([
    [412, 'PreconditionFailed', 'precondition-failed'],
    [404, 'NoSuchKey', 'not-found'],
    [503, 'SlowDown', 'rate-limited'],
  ] as const)('fails with what %i %s means', async (status, code, expected) => {
    const { read } = await serving(({ response }) => void response.writeHead(status).end(errorXml(code)))
    await expect(read(0, Buffer.alloc(MIB), { ifMatch: ETAG_VALUE })).rejects.toSatisfy(hasCode(expected))
  })

  test('that reaches past the end comes the ordinary way, and the next comes straight again', async () => {
    const { files, read, requests } = await serving(whole)
    const range = { start: 3 * MIB, end: 3 * MIB + 2 * MIB - 1 }
    const download = await files.download('a', { range, into: Buffer.alloc(2 * MIB) })
    expect(CONTENT.subarray(3 * MIB).equals(await download.bytes())).toBe(true)
    expect(requests()).toBe(2)
    const into = Buffer.alloc(MIB)
    const { chunks } = await read(MIB, into)
    expect(chunks[0]).toBe(into)
    expect(requests()).toBe(3)
  })

  test('is refused where the server sends another version in spite of the condition', async () => {
    const { read } = await serving(whole)
    await expect(read(0, Buffer.alloc(MIB), { ifMatch: 'other' })).rejects.toSatisfy(
      hasCode('precondition-failed'),
    )
  })

  test('ends with its signal, and so does its connection', async () => {
    const ending = new AbortController()
    const { read, sockets } = await serving(({ bytes, headers, response }) => {
      response.writeHead(206, headers)
      response.write(bytes.subarray(0, MIB / 2), () => ending.abort())
    })
    await expect(read(0, Buffer.alloc(MIB), { signal: ending.signal })).rejects.toSatisfy(hasCode('aborted'))
    const [socket] = sockets
    await eventually(() => expect(socket!.destroyed).toBe(true))
  })

  test('times out where the server falls silent', async () => {
    const { read } = await serving(
      ({ bytes, headers, response }) => {
        response.writeHead(206, headers)
        response.write(bytes.subarray(0, MIB / 2))
      },
      { requestTimeoutMs: 50 },
    )
    await expect(read(0, Buffer.alloc(MIB))).rejects.toSatisfy(hasCode('timeout'))
  })
})

describe('memory', () => {
  test('is left alone where it is not as long as the range, and where the caller has a dispatcher', async () => {
    const { files } = await serving(whole)
    const into = Buffer.alloc(MIB, 'x')
    const range = { start: 0, end: MIB }
    const download = await files.download('a', { range, into })
    expect(Buffer.from(await download.bytes()).equals(CONTENT.subarray(0, MIB + 1))).toBe(true)
    const dispatcher = new Agent()
    onTestFinished(() => dispatcher.close())
    const { read } = await serving(whole, { dispatcher })
    expect((await read(0, into)).bytes.equals(CONTENT.subarray(0, MIB))).toBe(true)
    expect(into.equals(Buffer.alloc(MIB, 'x'))).toBe(true)
  })

  test('must be a Uint8Array', async () => {
    const { files } = await serving(whole)
    const into = new ArrayBuffer(8) as unknown as Uint8Array
    await expect(files.download('a', { range: { start: 0, end: 7 }, into })).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
  })
})
