import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { pieces, underTest } from './under-test.ts'

const host = underTest()
const small = { resumableThresholdBytes: 10_000, chunkSizeBytes: 10_000 }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const patches = (sent: { method: string }[]) => sent.filter(({ method }) => method === 'PATCH').length

describe('an upload in chunks', () => {
  it.each([
    ['of unknown length', false],
    ['of known length', true],
  ])('stores a stream %s whole, whatever its size beside the chunks', async (_, known) => {
    const bucket = await host.bucket()
    const files = host.open(bucket, small)
    for (const size of [0, 9999, 10_000, 10_001, 20_000, 20_001, 45_678]) {
      const bytes = randomBytes(size)
      const body = pieces(bytes, 3333)
      const info = await files.upload('a.bin', body, known ? { size, checksum: 'sha256' } : {})
      expect(info.size).toBe(size)
      expect(sha256(await (await files.download('a.bin')).bytes())).toBe(sha256(bytes))
    }
  })

  it('is one request with its length up to the threshold, and chunks beyond', async () => {
    const bucket = await host.bucket()
    const { files, sent } = host.recorded(bucket, small)
    await files.upload('a', pieces(randomBytes(10_000), 999))
    expect(patches(sent)).toBe(0)
    const put = sent.find(({ method }) => method === 'POST')!
    expect(put.path).toBe(`/object/${bucket}/a`)
    expect((put.body as Uint8Array).length).toBe(10_000)
    await files.upload('b', randomBytes(30_001))
    expect(patches(sent)).toBe(4)
  })

  it('keeps type, cache-control and metadata', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket, small)
    for (const cacheControl of ['max-age=60', 'public, max-age=31536000, immutable', 'no-store']) {
      const attributes = { contentType: 'text/x-kit', cacheControl, metadata: { author: 'Zoë', empty: '' } }
      const info = await files.upload('a', randomBytes(20_000), attributes)
      expect(info).toMatchObject(attributes)
      expect(await files.info('a')).toEqual(info)
    }
    expect(await host.names(bucket)).toEqual(['a'])
  })

  it('goes on where an answer or a chunk was lost', async () => {
    const bucket = await host.bucket()
    const bytes = randomBytes(45_000)
    let count = 0
    const { files, sent } = host.recorded(bucket, small, ({ method }) => {
      if (method !== 'PATCH') return undefined
      count++
      return count === 2 ? 'lose' : count === 4 ? 'break' : undefined
    })
    await files.upload('a', pieces(bytes, 7000))
    expect(sha256(await (await files.download('a')).bytes())).toBe(sha256(bytes))
    expect(sent.filter(({ method, path }) => method === 'HEAD' && path.startsWith('/upload/'))).toHaveLength(
      2,
    )
  })

  it('goes on where the answer to the last chunk was lost', async () => {
    const bucket = await host.bucket()
    const bytes = randomBytes(25_000)
    let count = 0
    const { files } = host.recorded(bucket, small, ({ method }) =>
      method === 'PATCH' && ++count === 3 ? 'lose' : undefined,
    )
    await files.upload('a', pieces(bytes, 7000))
    expect(sha256(await (await files.download('a')).bytes())).toBe(sha256(bytes))
  })

  it.each([
    ['fails', {}, new Error('the source broke'), 'aborted'],
    ['is shorter than declared', { size: 40_000 }, undefined, 'invalid-argument'],
    ['is longer than declared', { size: 29_000 }, undefined, 'invalid-argument'],
    [
      'has another checksum',
      { checksum: { algorithm: 'sha256', value: '0'.repeat(64) } } as const,
      undefined,
      'checksum-mismatch',
    ],
  ])(
    'leaves what was there, and nothing on the server, when the body %s',
    async (_, options, error, code) => {
      const bucket = await host.bucket()
      await host.open(bucket).upload('a', 'old')
      const { files, sent } = host.recorded(bucket, small)
      await expect(
        files.upload('a', pieces(randomBytes(30_000), 4000, error), options),
      ).rejects.toMatchObject({
        code,
      })
      expect(await (await files.download('a')).text()).toBe('old')
      const created = sent.filter(({ method, path }) => method === 'POST' && path === '/upload/resumable')
      const ended = sent.filter(({ method }) => method === 'DELETE')
      expect(ended).toHaveLength(created.length)
      for (const { path, headers } of ended) {
        const url = `${host.server.url}/storage/v1${path}`
        const answer = await fetch(url, { method: 'HEAD', headers: Object.fromEntries(headers) })
        expect(answer.status).toBe(404)
      }
    },
  )

  it('is taken back when it is aborted', async () => {
    const bucket = await host.bucket()
    const ends = new AbortController()
    const { files, sent } = host.recorded(bucket, small, ({ method }) => {
      if (method === 'PATCH' && patches(sent) === 2) ends.abort()
      return undefined
    })
    const upload = files.upload('a', randomBytes(50_000), { signal: ends.signal })
    await expect(upload).rejects.toMatchObject({ code: 'aborted', key: 'a' })
    expect(sent.at(-1)?.method).toBe('DELETE')
    expect(await host.names(bucket)).toEqual([])
  })

  it('holds a few chunks in memory, however long the stream is', async () => {
    const bucket = await host.bucket()
    const chunk = Buffer.alloc(2 ** 18, 'x')
    let most = 0
    async function* stream() {
      for (let at = 0; at < 96; at++) {
        // What has been given out and is not yet in a request.
        most = Math.max(most, given - accepted)
        given += chunk.length
        yield chunk
      }
    }
    let given = 0
    let accepted = 0
    const size = { resumableThresholdBytes: 2 ** 20, chunkSizeBytes: 2 ** 20 }
    const { files } = host.recorded(bucket, size, ({ method, body }) => {
      if (method === 'PATCH') accepted += (body as Uint8Array).length
      return undefined
    })
    expect((await files.upload('a', stream())).size).toBe(96 * 2 ** 18)
    expect(most).toBeLessThanOrEqual(2 * 2 ** 20 + 2 * chunk.length)
  })

  it('tells of a bucket that takes no more before a byte is sent', async () => {
    const bucket = await host.bucket({ fileSizeLimit: 20_000 })
    const { files, sent } = host.recorded(bucket, small)
    await expect(files.upload('a', randomBytes(30_000))).rejects.toMatchObject({
      code: 'too-large',
      status: 413,
    })
    expect(patches(sent)).toBe(0)
    await expect(files.upload('b', pieces(randomBytes(30_000), 5000))).rejects.toMatchObject({
      code: 'too-large',
    })
    expect(await host.names(bucket)).toEqual([])
  })
})
