import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { DevImageSource } from '../../../src/server/index.ts'
import { localUrl, plainImage, reasonOf, servedImages, signed } from './signed-urls.ts'

const photo = () => plainImage('red').toBuffer()

describe('limits of devImages', () => {
  it('refuses a source with too many pixels before any of them is decoded', async () => {
    const { ask } = await servedImages({ 'bomb.png': pngHeader(100_000, 100_000) })
    const answer = await ask(localUrl('w:10', 'bomb.png', 'jpg'))
    expect([answer.status, await answer.text()]).toEqual([422, 'Invalid source image'])
    expect(reasonOf(answer)).toMatch(/pixel/)
  })

  it('counts the pixels of all frames', async () => {
    const gif = await sharp(Buffer.alloc(20 * 20 * 3 * 4), {
      raw: { width: 20, height: 80, channels: 3, pageHeight: 20 },
    })
      .gif({ keepDuplicateFrames: true })
      .toBuffer()
    const status = async (maxPixels: number, extension: string) => {
      const { ask } = await servedImages({ 'a.gif': gif }, { maxPixels })
      return (await ask(localUrl('', 'a.gif', extension))).status
    }
    expect(await status(1600, 'webp')).toBe(200)
    expect(await status(1599, 'webp')).toBe(422)
    expect(await status(1599, 'jpg')).toBe(200)
  })

  it.each(['w:5000/h:5000/el:1', 'rs:fill:9000:1:1', 'rs:fit:5000:5000:0:1', 'dpr:100/w:100/el:1'])(
    'refuses a result with too many pixels: %s',
    async options => {
      const { ask } = await servedImages({ 'a.jpg': plainImage('red') }, { maxPixels: 1_000_000 })
      const answer = await ask(localUrl(options, 'a.jpg', 'jpg'))
      expect([answer.status, reasonOf(answer)]).toEqual([422, expect.stringMatching(/result.*maxPixels/)])
    },
  )

  it('reads no more of a source than it may', async () => {
    let read = 0
    const endless = async function* () {
      for (;;) {
        read++
        yield new Uint8Array(1000)
      }
    }
    const { ask } = await servedImages({}, { source: () => ({ body: endless() }), maxSourceBytes: 10_000 })
    const answer = await ask(localUrl('', 'a.jpg'))
    expect([answer.status, reasonOf(answer)]).toEqual([422, expect.stringMatching(/maxSourceBytes/)])
    expect(read).toBe(11)
  })

  it('gives up a source that does not come', async () => {
    const source = () => new Promise<DevImageSource>(() => {})
    const { ask } = await servedImages({}, { source, timeoutMs: 20 })
    const answer = await ask(localUrl('', 'a.jpg'))
    expect([answer.status, await answer.text()]).toEqual([503, 'Timeout'])
  })

  it('closes a source that comes when it has been given up', async () => {
    let closed = 0
    let answer = (_: DevImageSource) => {}
    const source = () =>
      new Promise<DevImageSource>(resolve => {
        answer = resolve
      })
    const { ask } = await servedImages({}, { source, timeoutMs: 20 })
    expect((await ask(localUrl('', 'a.jpg'))).status).toBe(503)
    const iterator = { next: async () => ({ done: true as const, value: undefined }) }
    const close = async () => {
      closed++
      return iterator.next()
    }
    answer({ body: { [Symbol.asyncIterator]: () => ({ ...iterator, return: close }) } })
    await expect.poll(() => closed).toBe(1)
  })

  it('has room again after sources that never come and never end, whatever they make of the signal', async () => {
    const never = new Promise<never>(() => {})
    const stuck = async function* () {
      yield Buffer.from('the beginning')
      await never
    }
    const source = async (url: string): Promise<DevImageSource> => {
      if (url.endsWith('never')) return never
      return { body: url.endsWith('stuck') ? stuck() : await photo() }
    }
    const { ask } = await servedImages({}, { source, concurrency: 1, timeoutMs: 200 })
    const statuses: number[] = []
    for (const key of ['never', 'stuck', 'photo']) statuses.push((await ask(localUrl('', key, 'png'))).status)
    expect(statuses).toEqual([503, 503, 200])
  })

  it('makes so many images at once, the others in their order', async () => {
    const held: ((source: DevImageSource) => void)[] = []
    const asked: string[] = []
    const source = (url: string) => {
      asked.push(url)
      return new Promise<DevImageSource>(resolve => held.push(resolve))
    }
    const { ask } = await servedImages({}, { source, concurrency: 2 })
    const answers = ['1', '2', '3', '4'].map(key => ask(localUrl('', key, 'png')))
    await expect.poll(() => asked).toEqual(['local:///1', 'local:///2'])
    held[1]!({ body: await photo() })
    await expect.poll(() => asked.at(2)).toBe('local:///3')
    held[0]!({ body: await photo() })
    await expect.poll(() => held.length).toBe(4)
    for (const resolve of held) resolve({ body: await photo() })
    expect((await Promise.all(answers)).map(answer => answer.status)).toEqual([200, 200, 200, 200])
  })

  it('makes one image for all who ask for it at once, and another for another', async () => {
    let asked = 0
    const source = async () => {
      asked++
      return { body: await photo() }
    }
    const { ask } = await servedImages({}, { source })
    const same = await Promise.all(Array.from({ length: 20 }, () => ask(localUrl('w:9', 'a', 'png'))))
    expect(asked).toBe(1)
    const bodies = await Promise.all(same.map(answer => answer.arrayBuffer()))
    for (const body of bodies) expect(Buffer.from(body)).toEqual(Buffer.from(bodies[0]!))
    await Promise.all(['w:9', 'w:8'].map(options => ask(localUrl(options, 'a', 'png'))))
    expect(asked).toBe(3)
  })
})

describe('a client of devImages that goes away', () => {
  const waiting = () => {
    const signals: AbortSignal[] = []
    const source = (_: string, { signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise<DevImageSource>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
    }
    return { signals, source }
  }

  it('ends what was done for it', async () => {
    const { signals, source } = waiting()
    const { ask } = await servedImages({}, { source, concurrency: 1 })
    const client = new AbortController()
    const gone = ask(localUrl('', 'a'), { signal: client.signal })
    const inLine = new AbortController()
    const never = ask(localUrl('', 'b'), { signal: inLine.signal })
    await expect.poll(() => signals.length).toBe(1)
    inLine.abort()
    expect((await never).status).toBe(499)
    client.abort()
    expect((await gone).status).toBe(499)
    expect(signals[0]!.aborted).toBe(true)
    const next = new AbortController()
    const last = ask(localUrl('', 'c'), { signal: next.signal })
    // What had left the line was never begun.
    await expect.poll(() => signals.length).toBe(2)
    next.abort()
    await last
  })

  it('leaves the image to others who wait for it', async () => {
    let resolve: (source: DevImageSource) => void = () => {}
    const signals: AbortSignal[] = []
    const source = (_: string, { signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise<DevImageSource>(done => {
        resolve = done
      })
    }
    const { ask } = await servedImages({}, { source })
    const client = new AbortController()
    const gone = ask(localUrl('', 'a', 'png'), { signal: client.signal })
    const stays = ask(localUrl('', 'a', 'png'))
    await expect.poll(() => signals.length).toBe(1)
    client.abort()
    expect((await gone).status).toBe(499)
    expect(signals[0]!.aborted).toBe(false)
    resolve({ body: await photo() })
    expect((await stays).status).toBe(200)
    expect(signals).toHaveLength(1)
  })
})

describe('a source of devImages that is no image', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('no image')],
    ['a header and nothing else', Buffer.from('ffd8ffe000104a464946', 'hex')],
    ['a page', Buffer.from('<html><svg></svg></html>')],
  ])('is 422: %s', async (_, bytes) => {
    const { ask } = await servedImages({}, { source: () => ({ body: bytes }) })
    const answer = await ask(signed('/w:10/plain/local%3A%2F%2F%2Fa@webp'))
    expect([answer.status, await answer.text()]).toEqual([422, 'Invalid source image'])
  })
})

/** The beginning of a PNG of any size: all that a bomb needs to be one. */
function pngHeader(width: number, height: number): Buffer {
  const data = Buffer.alloc(13)
  data.writeUInt32BE(width, 0)
  data.writeUInt32BE(height, 4)
  data.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', data), chunk('IDAT', deflateSync(Buffer.alloc(10)))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(data.length, 0)
  body.copy(whole, 4)
  whole.writeInt32BE(crc32(body), body.length + 4)
  return whole
}

/** As PNG has it (RFC 2083, appendix 15); `zlib.crc32` came with Node 22. */
function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc
}
