/** Answers that no real server gives on request: each ends in the right error, and nothing is taken for success. */
import { describe, expect, test } from 'vitest'
import { s3 } from '../../../src/adapters/s3/index.ts'
import { loopbackServer } from '../../support/loopback-server.ts'
import { keysOf } from './bucket.ts'
import { ETAG, errorXml, fakeS3, OBJECT_HEADERS } from './fake-s3.ts'

const HTML = '<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>'

describe('error codes', () => {
  test.each([
    [403, 'AccessDenied', 'permission-denied', false],
    [403, 'InvalidAccessKeyId', 'unauthenticated', false],
    [404, 'XAdminUserNotFound', 'unauthenticated', false],
    [403, 'SignatureDoesNotMatch', 'unauthenticated', false],
    [400, 'ExpiredToken', 'unauthenticated', false],
    [404, 'NoSuchBucket', 'not-found', false],
    [404, 'NoSuchKey', 'not-found', false],
    [409, 'ConditionalRequestConflict', 'conflict', true],
    [409, 'ObjectParentIsFile', 'conflict', false],
    [400, 'EntityTooLarge', 'too-large', false],
    [400, 'BadDigest', 'checksum-mismatch', false],
    [400, 'XAmzContentChecksumMismatch', 'checksum-mismatch', false],
    [400, 'KeyTooLongError', 'invalid-key', false],
    [400, 'InvalidStorageClass', 'invalid-argument', false],
    [503, 'SlowDown', 'rate-limited', true],
    [500, 'InternalError', 'unavailable', true],
    [507, 'XMinioStorageFull', 'unavailable', false],
    [501, 'NotImplemented', 'unsupported', false],
    [418, 'SomethingNew', 'internal', false],
    [503, 'SomethingNew', 'unavailable', true],
  ])('%i %s is %s', async (status, s3Code, code, retryable) => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(status, { 'x-amz-request-id': 'R1' }).end(errorXml(s3Code))
    })
    for (const work of [() => files.upload('a', 'x'), () => files.download('a'), () => keysOf(files.list())])
      await expect(work()).rejects.toMatchObject({ code, status, retryable, requestId: 'R1', provider: 's3' })
  })

  test('Retry-After is kept, and a 429 needs no document', async () => {
    const { files } = await fakeS3(
      (_, response) => void response.writeHead(429, { 'retry-after': '7' }).end(),
    )
    await expect(files.upload('a', 'x')).rejects.toMatchObject({
      code: 'rate-limited',
      retryable: true,
      retryAfterMs: 7000,
    })
  })

  test('a bucket in another region says which', async () => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-3' }).end(errorXml('PermanentRedirect'))
    })
    await expect(files.download('a')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining("'eu-west-3'"),
    })
  })

  test('no answer brings a secret into the message, nor the signature into the cause', async () => {
    const { files } = await fakeS3(({ headers }, response) => {
      response.writeHead(403).end(errorXml('Odd', `you sent ${headers.authorization}`))
    })
    const error = await files.download('a').catch(thrown => thrown)
    const signature = /Signature=(\w+)/
    expect(error.message).not.toMatch(signature)
    expect(String(error.cause.stack)).not.toMatch(signature)
  })

  test('a clock that differs too much is noted, so that the next try is signed with the right time', async () => {
    const hourAhead = new Date(Date.now() + 3_600_000).toUTCString()
    const { files, requests } = await fakeS3((_, response) => {
      if (requests.length > 1)
        return void response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '1' }).end('x')
      response.writeHead(403, { date: hourAhead }).end(errorXml('RequestTimeTooSkewed'))
    })
    await expect(files.download('a')).rejects.toMatchObject({ code: 'unauthenticated', retryable: true })
    await (await files.download('a')).bytes()
    const [first, second] = requests.map(request => String(request.headers['x-amz-date']).slice(9, 11))
    expect((Number(first) + 1) % 24).toBe(Number(second))
  })
})

describe('answers that are not of S3', () => {
  test('HTML with an error status is read by its status, and not shown', async () => {
    const { files } = await fakeS3(
      (_, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end(HTML),
    )
    const error = await files.upload('a', 'x').catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'unavailable', status: 502, retryable: true })
    expect(error.message).not.toContain('<')
  })

  test('HTML with status 200 is no object, no list and no stored upload', async () => {
    const { files } = await fakeS3(
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(HTML),
    )
    const works = [
      () => files.upload('a', 'x'),
      () => files.download('a'),
      () => files.info('a'),
      () => keysOf(files.list()),
      () => files.copy('a', 'b'),
    ]
    for (const work of works)
      await expect(work()).rejects.toMatchObject({ code: 'unavailable', retryable: false })
    expect(await files.deleteMany(['a'])).toMatchObject([{ status: 'error', error: { code: 'unavailable' } }])
  })

  test('an endless error page is not read to its end', async () => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(500)
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(65_536), more)
      }
      more()
    })
    await expect(files.download('a')).rejects.toMatchObject({ code: 'unavailable', status: 500 })
  })

  test('a list that goes on without saying where is no list', async () => {
    const { files } = await fakeS3((_, response) => {
      response.end(
        '<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>',
      )
    })
    await expect(keysOf(files.list())).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a server that does not speak HTTP', async () => {
    const server = await loopbackServer()
    server.use((request, _) => void request.socket.end('SSH-2.0-OpenSSH\r\n'))
    const files = s3({
      bucket: 'b',
      endpoint: server.origin,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      forcePathStyle: true,
    })
    await expect(files.download('a')).rejects.toMatchObject({ code: 'unavailable' })
    await files.close()
    await server.close()
    const gone = s3({
      bucket: 'b',
      endpoint: server.origin,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      forcePathStyle: true,
    })
    await expect(gone.download('a')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('refused'),
    })
    await gone.close()
  })
})

describe('reads', () => {
  test.each(['bytes', 'stream'] as const)('half a body is a failure, as %s', async form => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '1000' })
      response.write('x'.repeat(500), () => response.destroy())
    })
    const download = await files.download('a')
    const read = async () => {
      if (form === 'bytes') return download.bytes()
      for await (const _ of download);
    }
    await expect(read()).rejects.toMatchObject({ code: 'unavailable', key: 'a' })
  })

  test('conditions that the server ignores are kept nevertheless', async () => {
    const { files } = await fakeS3(
      (_, response) => void response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '1' }).end('x'),
    )
    const etag = ETAG.slice(1, -1)
    for (const work of [files.info, files.download]) {
      await expect(work('a', { ifMatch: 'other' })).rejects.toMatchObject({ code: 'precondition-failed' })
      await expect(work('a', { ifNoneMatch: etag })).rejects.toMatchObject({
        code: 'precondition-failed',
        status: 304,
      })
    }
  })

  test('a range that the server ignores is no range', async () => {
    const { files } = await fakeS3(
      (_, response) =>
        void response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '5' }).end('12345'),
    )
    await expect(files.download('a', { range: { start: 2 } })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test.each([
    ['another start', { start: 2, end: 4 }, 'bytes 0-2/10', '012'],
    ['too much', { start: 2, end: 4 }, 'bytes 2-9/10', '23456789'],
    ['too little', { start: 2, end: 4 }, 'bytes 2-3/10', '23'],
    ['less than the rest', { start: 2 }, 'bytes 2-8/10', '2345678'],
    ['the first bytes for the last', { suffix: 3 }, 'bytes 0-2/10', '012'],
    ['bytes past the end', { start: 2, end: 12 }, 'bytes 2-12/10', '23456789abc'],
  ])('a 206 with another range than the asked one is refused: %s', async (_, range, contentRange, body) => {
    const { files } = await fakeS3((_, response) => {
      const headers = { 'content-range': contentRange, 'content-length': String(body.length) }
      response.writeHead(206, { ...OBJECT_HEADERS, ...headers }).end(body)
    })
    await expect(files.download('a', { range })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
    })
  })

  test('a range that reaches past the end is answered with what there is', async () => {
    const { files } = await fakeS3((_, response) => {
      const headers = { 'content-range': 'bytes 2-4/5', 'content-length': '3' }
      response.writeHead(206, { ...OBJECT_HEADERS, ...headers }).end('234')
    })
    for (const range of [{ start: 2, end: 99 }, { start: 2 }, { suffix: 3 }])
      expect(await (await files.download('a', { range })).text()).toBe('234')
  })
})

describe('silence', () => {
  const QUICK = { requestTimeoutMs: 200 }

  test('before the answer ends as timeout', async () => {
    const { files } = await fakeS3(() => {}, QUICK)
    const works = [
      () => files.download('a'),
      () => files.upload('a', 'x'),
      () => files.info('a'),
      () => keysOf(files.list()),
    ]
    await Promise.all(
      works.map(work => expect(work()).rejects.toMatchObject({ code: 'timeout', retryable: true })),
    )
  })

  test('within the body ends as timeout', async () => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '1000' }).write('half')
    }, QUICK)
    const download = await files.download('a')
    await expect(download.bytes()).rejects.toMatchObject({ code: 'timeout' })
  })

  test('of a rare request, by the SDK, ends as timeout, too', async () => {
    const { files } = await fakeS3(({ method }, response) => {
      if (method === 'HEAD') response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '1' }).end()
    }, QUICK)
    await expect(files.copy('a', 'b')).rejects.toMatchObject({ code: 'timeout' })
  })

  test('is cut short by a signal', async () => {
    const controller = new AbortController()
    const { files } = await fakeS3(() => controller.abort())
    await expect(files.upload('a', 'x', { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})
