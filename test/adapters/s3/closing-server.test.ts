/**
 * Servers that answer with `Connection: close`. undici 7 ends the process when such a connection ends behind an
 * answer that is paused, so none is: what a slow reader can't take is asked for again.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { s3 } from '../../../src/adapters/s3/index.ts'
import type { Download } from '../../../src/core/download.ts'
import { ETAG, errorXml } from './fake-s3.ts'

const MIB = 1 << 20
const CONTENT = Buffer.alloc(8 * MIB)
for (let at = 0; at < CONTENT.length; at += 4) CONTENT.writeUInt32LE(at, at)

interface Get {
  readonly range: string | undefined
  readonly ifMatch: string | undefined
  readonly socket: Socket
  /** How many requests came before. */
  readonly index: number
}

const uncaught: unknown[] = []
const note = (error: unknown) => void uncaught.push(error)
beforeAll(() => void process.on('uncaughtException', note))
afterAll(() => void process.off('uncaughtException', note))

/** A server below HTTP's level: node:http can't cut an answer where a test wants it. */
async function closingServer(answer: (get: Get) => void) {
  const gets: Get[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.once('data', head => {
      const header = (name: string) =>
        new RegExp(`^${name}: (.*?)\\r$`, 'im').exec(head.toString('latin1'))?.[1]
      const get = { range: header('range'), ifMatch: header('if-match'), socket, index: gets.length }
      gets.push(get)
      answer(get)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const files = s3({
    bucket: 'photos',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'hush-hush-hush' },
  })
  onTestFinished(async () => {
    await files.close()
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return { files, gets, sockets }
}

function head(status: number, headers: Record<string, string | number>): string {
  const lines = Object.entries({ connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return `HTTP/1.1 ${status} Some\r\n${lines.join('\r\n')}\r\n\r\n`
}

interface Served {
  /** Empty for none. */
  readonly etag?: string
  /** Bytes of the answer that are sent. */
  readonly cutAt?: number
  readonly end?: (socket: Socket) => void
}

const OLD = 'Wed, 01 Jul 2026 10:00:00 GMT'

function serve({ range, socket }: Get, { etag = ETAG, cutAt, end = it => it.end() }: Served = {}): void {
  const [start, last] = span(range)
  const body = CONTENT.subarray(start, last + 1)
  const part: Record<string, string> =
    range === undefined ? {} : { 'content-range': `bytes ${start}-${last}/${CONTENT.length}` }
  const tag: Record<string, string> = etag === '' ? {} : { etag }
  socket.write(
    head(range === undefined ? 200 : 206, {
      ...tag,
      ...part,
      'last-modified': OLD,
      'content-length': body.length,
    }),
  )
  socket.write(body.subarray(0, cutAt), () => end(socket))
}

function span(range: string | undefined): [start: number, last: number] {
  const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? 'bytes=0-')!
  return [Number(start), Math.min(Number(last || CONTENT.length - 1), CONTENT.length - 1)]
}

/** Reads with turns of the event loop between the chunks: the server is always ahead. */
async function readSlowly(download: Download): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for (let turn = 0; turn < 200; turn++) await new Promise(resolve => setImmediate(resolve))
  for await (const chunk of download) {
    chunks.push(chunk)
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  return Buffer.concat(chunks)
}

describe('a slow reader of an answer whose connection is closed', () => {
  test('gets exactly the bytes, each piece under the etag of the first answer', async () => {
    const { files, gets } = await closingServer(get => serve(get))
    const download = await files.download('a')
    expect((await readSlowly(download)).equals(CONTENT)).toBe(true)
    expect(gets.length).toBeGreaterThan(1)
    expect(gets.slice(1).every(({ ifMatch }) => ifMatch === ETAG)).toBe(true)
    expect(uncaught).toEqual([])
  })

  test('gets exactly the range that was asked for', async () => {
    const { files } = await closingServer(get => serve(get))
    const download = await files.download('a', { range: { start: 1001, end: 7 * MIB } })
    expect((await readSlowly(download)).equals(CONTENT.subarray(1001, 7 * MIB + 1))).toBe(true)
    expect(download.range).toEqual({ offset: 1001, length: 7 * MIB - 1000 })
  })

  test('gets all of it with bytes() when that is called late', async () => {
    const { files, gets } = await closingServer(get => serve(get))
    const download = await files.download('a')
    await closedOnce(gets)
    expect(CONTENT.equals(await download.bytes())).toBe(true)
  })

  test('leaves no more than about 1 MiB waiting in memory', async () => {
    const { files, gets } = await closingServer(get => serve(get))
    const before = process.memoryUsage().arrayBuffers
    const downloads = await Promise.all(Array.from({ length: 6 }, () => files.download('a')))
    for (const { socket } of gets)
      if (!socket.closed) await new Promise(resolve => socket.once('close', resolve))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(6 * 2 * MIB)
    for (const download of downloads) download.cancel()
  })
})

describe('an answer that is cut half-way', () => {
  test.each([
    ['ended', (socket: Socket) => void socket.end()],
    ['reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('%s, is unavailable and ends no process', async (_, end) => {
    for (const cutAt of [300_000, 700_000, 4 * MIB]) {
      const { files } = await closingServer(get =>
        serve(get, { cutAt: get.index === 0 ? cutAt : 70_000, end }),
      )
      const read = async () => readSlowly(await files.download('a'))
      await expect(read()).rejects.toMatchObject({ code: 'unavailable', retryable: true })
      expect(uncaught).toEqual([])
    }
  })
})

describe('an object that is replaced meanwhile', () => {
  test.each([
    ['the server says so', (get: Get) => get.socket.end(head(412, {}) + errorXml('PreconditionFailed'))],
    ['the server ignores If-Match', (get: Get) => serve(get, { etag: '"another"' })],
  ])('is told where %s', async (_, second) => {
    const { files } = await closingServer(get => (get.index === 0 ? serve(get) : second(get)))
    const download = await files.download('a')
    await expect(readSlowly(download)).rejects.toMatchObject({ code: 'conflict', key: 'a' })
  })

  test.each([
    ['no etag', ''],
    ['a weak etag', `W/${ETAG}`],
  ])('cannot be told by %s: the read fails and may be tried again', async (_, etag) => {
    const { files, gets } = await closingServer(get => serve(get, { etag }))
    const download = await files.download('a')
    await expect(readSlowly(download)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    expect(gets).toHaveLength(1)
  })

  test('is not spliced with other bytes than were asked for', async () => {
    const { files } = await closingServer(get => {
      if (get.index === 0) return serve(get)
      serve({ ...get, range: 'bytes=0-9' })
    })
    const download = await files.download('a')
    await expect(readSlowly(download)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('giving up', () => {
  test('while the next piece is awaited ends its request', async () => {
    let asked: (get: Get) => void
    const second = new Promise<Get>(resolve => {
      asked = resolve
    })
    const { files } = await closingServer(get => (get.index === 0 ? serve(get) : asked(get)))
    const download = await files.download('a')
    const reading = expect(readSlowly(download)).rejects.toMatchObject({ provider: 's3' })
    const { socket } = await second
    const closed = new Promise(resolve => socket.once('close', resolve))
    download.cancel()
    await closed
    await reading
  })

  test("by the caller's signal ends the read as aborted", async () => {
    const controller = new AbortController()
    const { files } = await closingServer(get => (get.index === 0 ? serve(get) : controller.abort()))
    const download = await files.download('a', { signal: controller.signal })
    await expect(readSlowly(download)).rejects.toMatchObject({ code: 'aborted' })
  })

  test('of an answer that nobody reads frees the connection by itself', async () => {
    const { files, gets } = await closingServer(get => serve(get))
    await files.download('a')
    await closedOnce(gets)
    expect(gets).toHaveLength(1)
  })
})

async function closedOnce(gets: readonly Get[]): Promise<void> {
  const { socket } = gets[0]!
  if (!socket.closed) await new Promise(resolve => socket.once('close', resolve))
}
