import { Readable } from 'node:stream'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { fakeS3, OBJECT_HEADERS } from './fake-s3.ts'

const MANY = 20
const PART = 10
const OPTIONS = { partSizeBytes: PART, uploadConcurrency: MANY }
const attributes = { contentType: 'a/b' }
const BEGUN = '<InitiateMultipartUploadResult><UploadId>the-id</UploadId></InitiateMultipartUploadResult>'
const COMPLETE = '<CompleteMultipartUploadResult><ETag>"x-20"</ETag></CompleteMultipartUploadResult>'

/** A server that answers parts and heads when all of them are under way. */
async function waitingServer() {
  const waiting: (() => void)[] = []
  const together = (answer: () => void) => {
    waiting.push(answer)
    if (waiting.length === MANY) for (const each of waiting) each()
  }
  return fakeS3(({ method, target }, response) => {
    if (method === 'HEAD') together(() => response.writeHead(200, OBJECT_HEADERS).end())
    else if (target.includes('partNumber')) together(() => response.writeHead(200, { etag: '"x"' }).end())
    else response.end(target.includes('uploads') ? BEGUN : COMPLETE)
  }, OPTIONS)
}

describe('many requests of one operation at once', () => {
  const warnings: Error[] = []

  beforeEach(() => {
    warnings.length = 0
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
  })

  test('are no leak of listeners: parts of a resumable upload', async () => {
    const { files } = await waitingServer()
    const source = { size: MANY * PART, read: async () => new Uint8Array(PART) }
    await files.uploadResumable('a', source, { ...attributes, concurrency: MANY })
    expect(warnings).toEqual([])
  })

  test('are no leak of listeners: parts of a stream', async () => {
    const { files } = await waitingServer()
    const stream = Readable.from(Array.from({ length: MANY }, () => Buffer.alloc(PART)))
    await files.upload('a', stream, attributes)
    expect(warnings).toEqual([])
  })

  test('are no leak of listeners: looks at many keys, under a time', async () => {
    const { files } = await fakeS3((_, response) => {
      setTimeout(() => response.writeHead(200, OBJECT_HEADERS).end(), 50)
    })
    const keys = Array.from({ length: MANY }, (_, at) => `${at}`)
    expect(await files.infoMany(keys, { timeoutMs: 60_000 })).toHaveLength(MANY)
    expect(warnings).toEqual([])
  })
})
