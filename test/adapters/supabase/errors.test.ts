import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { supabase } from '../../../src/adapters/supabase/index.ts'
import { StorageError } from '../../../src/core/errors.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { underTest } from './under-test.ts'

const host = underTest()
const KEY = 'sb_publishable_a-key-that-nobody-may-read'
const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await Promise.all(stops.splice(0).map(stop => stop()))
})

/** A provider over a server that answers as `listener` does: what no real one does on request. */
async function over(listener: RequestListener, requestTimeoutMs = 5000): Promise<StorageProvider> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return supabase({ bucket: 'b', url, key: KEY, requestTimeoutMs, resumableThresholdBytes: 100_000 })
}

async function failure(work: Promise<unknown>): Promise<StorageError> {
  const error = await work.then(
    () => expect.fail('should have failed'),
    thrown => thrown,
  )
  expect(error).toBeInstanceOf(StorageError)
  const everything = `${error.message} ${JSON.stringify(error)} ${error.cause?.message} ${error.cause?.stack}`
  expect(everything).not.toContain(KEY)
  expect(everything).not.toContain('eyJ')
  return error
}

/** One call of each kind. */
const calls = (files: StorageProvider): [name: string, work: () => Promise<unknown>][] => [
  ['upload', () => files.upload('a', 'x')],
  ['upload in chunks', () => files.upload('a', Buffer.alloc(200_000))],
  ['create', () => files.upload('a', 'x', { ifNoneMatch: '*' })],
  ['download', () => files.download('a')],
  ['range', () => files.download('a', { range: { start: 1 } })],
  ['info', () => files.info('a')],
  ['exists', () => files.exists('a')],
  ['list', () => files.list().page()],
  ['folder', () => files.list({ delimiter: '/' }).page()],
  ['copy', () => files.copy('a', 'b')],
  ['move', () => files.move('a', 'b')],
  ['delete', () => files.delete('a')],
  ['deleteMany', () => files.deleteMany(['a']).then(([result]) => thrown(result))],
  ['signedUrl', () => files.signedUrl('a', { expiresIn: 60 })],
  ['signedUpload', () => files.signedUpload('a', {})],
]

function thrown(result: unknown): unknown {
  const { error } = result as { error?: unknown }
  if (error !== undefined) throw error
  return result
}

describe('wrong credentials', () => {
  const expired = { role: 'service_role', iat: 1, exp: 2 }
  it.for(['tampered', 'nonsense', 'expired'])(
    'are unauthenticated for every method: a key that is %s',
    async (how, context) => {
      const bucket = await host.bucket()
      await host.put(bucket, 'a', 'x')
      const { serviceKey, standIn } = host.server
      if (how === 'expired' && 'unavailable' in standIn) return context.skip(standIn.unavailable)
      const key =
        how === 'nonsense'
          ? 'nonsense-of-the-tests'
          : how === 'tampered'
            ? `${serviceKey.slice(0, -6)}abcdef`
            : (standIn as { signKey(claims: object): string }).signKey(expired)
      for (const [name, work] of calls(host.open(bucket, { key, resumableThresholdBytes: 100_000 })))
        expect([name, (await failure(work())).code]).toEqual([name, 'unauthenticated'])
    },
  )
})

describe('a missing bucket', () => {
  it('is told as such by every method', async () => {
    const files = host.open('no-such-bucket', { resumableThresholdBytes: 100_000 })
    for (const [name, work] of calls(files)) {
      const { code, resource } = await failure(work())
      expect([name, code, resource]).toEqual([name, 'not-found', 'bucket'])
    }
  })
})

describe('a bucket with limits', () => {
  it('refuses what is too large, and what has another type, and keeps nothing', async () => {
    const bucket = await host.bucket({ fileSizeLimit: 1024, allowedMimeTypes: ['text/plain'] })
    const files = host.open(bucket)
    expect(
      await failure(files.upload('a', Buffer.alloc(3_000_000), { contentType: 'text/plain' })),
    ).toMatchObject({
      code: 'too-large',
      status: 413,
    })
    expect(await failure(files.upload('a', 'x', { contentType: 'image/png' }))).toMatchObject({
      code: 'invalid-argument',
      status: 415,
    })
    expect(await host.names(bucket)).toEqual([])
    await files.upload('a', 'x')
  })

  it('is known as the reason where the connection broke instead of an answer', async () => {
    const files = await over((request, response) => {
      if (request.url === '/storage/v1/bucket/b') response.end('{"id":"b","file_size_limit":10}')
      else request.socket.destroy()
    })
    expect(await failure(files.upload('a', Buffer.alloc(50_000)))).toMatchObject({ code: 'too-large' })
    expect(await failure(files.upload('a', 'x'))).toMatchObject({ code: 'unavailable' })
  })
})

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(status, headers).end(body))
  }
const said = (statusCode: string, code: string, message: string) =>
  JSON.stringify({ statusCode, code, error: code, message })

describe('a server that fails', () => {
  it.each([
    ['HTML from a gateway', 502, '<html><h1>Bad Gateway</h1></html>', 'unavailable', true],
    ['HTML with success', 200, '<!doctype html><title>Welcome</title>', 'internal', false],
    ['JSON of something else', 200, '{"hello":"world"}', 'internal', false],
    ['a number', 200, '42', 'internal', false],
    ['nothing', 200, '', 'internal', false],
    ['a redirect', 302, '', 'internal', false],
    ['a lock that is held', 400, said('503', 'LockTimeout', 'acquiring lock timeout'), 'unavailable', true],
    ['a slow database', 544, said('544', 'DatabaseTimeout', 'The connection timed out'), 'unavailable', true],
    ['a full database', 429, said('429', 'SlowDown', 'Too many connections'), 'rate-limited', true],
    ['a server error', 500, said('500', 'InternalError', 'Internal Server Error'), 'unavailable', true],
    [
      'a role that is not known',
      500,
      said('500', 'DatabaseError', 'database error, code: 22023'),
      'unauthenticated',
      false,
    ],
    ['a gateway without a key', 401, '{"message":"No API key found in request"}', 'unauthenticated', false],
  ])('is named for what it is: %s', async (_, status, body, code, retryable) => {
    const files = await over(answer(status, body))
    for (const [name, work] of calls(files)) {
      // An upload in chunks tries again by itself, and reads no body of a success.
      if (name === 'upload in chunks') continue
      if (name === 'download' && status === 200) continue
      const error = await failure(work())
      expect([name, error.code, error.retryable]).toEqual([name, code, retryable])
      expect(error.message).not.toContain('<')
    }
  })

  it('that gives no reason is said to have failed for now', async () => {
    const files = await over(answer(500, said('500', 'S3Error', 'Error')))
    expect((await failure(files.upload('a', 'x'))).message).toBe(
      'upload: the storage server failed for now; try again (Error)',
    )
  })

  it('says how long to wait', async () => {
    const body = said('429', 'SlowDown', 'Too many connections')
    const files = await over(answer(429, body, { 'retry-after': '7', 'sb-request-id': 'id-1' }))
    expect(await failure(files.info('a'))).toMatchObject({
      code: 'rate-limited',
      status: 429,
      retryAfterMs: 7000,
      requestId: 'id-1',
    })
  })

  it('that repeats the key does not bring it into a message', async () => {
    const files = await over(answer(403, said('403', 'AccessDenied', `what is ${KEY}?`)))
    expect((await failure(files.info('a'))).message).toContain('[redacted]')
  })

  it('that refuses the connection is unavailable', async () => {
    const files = await over(() => {})
    await Promise.all(stops.splice(0).map(stop => stop()))
    expect(await failure(files.info('a'))).toMatchObject({ code: 'unavailable', retryable: true })
  })

  it('that had closed a kept connection is asked once more, where nothing is changed by it', async () => {
    let asked = 0
    const files = await over((request, response) => {
      asked++
      if (asked === 1) return request.socket.destroy()
      return response.end(JSON.stringify({ size: 5 }))
    })
    expect(await files.info('a')).toEqual({ key: 'a', size: 5, metadata: {} })
    asked = 0
    expect(await failure(files.delete('a'))).toMatchObject({ code: 'unavailable' })
    expect(asked).toBe(1)
  })
})

describe('a server that is silent', () => {
  it('ends every method with timeout', async () => {
    const files = await over(request => void request.resume(), 50)
    for (const [name, work] of calls(files)) {
      // Its bytes are given the time that they may take.
      if (name === 'upload in chunks') continue
      expect([name, (await failure(work())).code]).toEqual([name, 'timeout'])
    }
  })

  it('in the middle of a body ends the read with timeout, but a slow reader does not', async () => {
    const info = JSON.stringify({ size: 10, etag: '"e"' })
    const files = await over((request, response) => {
      if (request.url?.includes('/info/')) return response.end(info)
      response.writeHead(200, { 'content-length': '10', etag: '"e"' })
      return response.write('12345')
    }, 80)
    const download = await files.download('a')
    await new Promise(resolve => setTimeout(resolve, 160))
    expect((await failure(download.text())).code).toBe('timeout')
  })

  it('that sends half a body is unavailable, never short', async () => {
    const files = await over((request, response) => {
      if (request.url?.includes('/info/')) return response.end(JSON.stringify({ size: 10, etag: '"e"' }))
      response.writeHead(200, { 'content-length': '10', etag: '"e"' })
      response.write('12345')
      return setImmediate(() => response.socket?.destroy())
    })
    expect((await failure((await files.download('a')).text())).code).toBe('unavailable')
  })

  it('ends with the caller’s signal at once', async () => {
    const files = await over(request => void request.resume())
    const ends = new AbortController()
    setImmediate(() => ends.abort())
    expect((await failure(files.info('a', { signal: ends.signal }))).code).toBe('aborted')
    const upload = files.upload('a', Buffer.alloc(500_000), { signal: AbortSignal.timeout(30) })
    expect((await failure(upload)).code).toBe('timeout')
  })
})
