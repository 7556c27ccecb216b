/** Writes that begin well: errors inside an answer of 200, answers that get lost, parts that fail. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ETAG, errorXml, type FakeRequest, fakeS3, OBJECT_HEADERS } from './fake-s3.ts'

const MIB = 2 ** 20
const PARTS = { partSizeBytes: MIB, multipartThresholdBytes: MIB, uploadConcurrency: 2 }
const BODY = new Uint8Array(3 * MIB)
const STARTED = '<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>'

const isPart = ({ method, target }: FakeRequest) => method === 'PUT' && target.includes('partNumber=')
const isBegin = ({ method, target }: FakeRequest) => method === 'POST' && /\?uploads/.test(target)
const isEnd = ({ method, target }: FakeRequest) => method === 'POST' && target.includes('uploadId=')
const isAbort = ({ method }: FakeRequest) => method === 'DELETE'
const isLook = ({ method, target }: FakeRequest) => method === 'GET' && target.includes('uploadId=')

describe('200 with an error inside', () => {
  test('a copy that failed is no copy', async () => {
    const { files } = await fakeS3(({ method }, response) => {
      if (method === 'HEAD')
        return void response.writeHead(200, { ...OBJECT_HEADERS, 'content-length': '1' }).end()
      response.writeHead(200).end(errorXml('AccessDenied'))
    })
    await expect(files.copy('a', 'b')).rejects.toMatchObject({ code: 'permission-denied' })
  })

  test('a completion that failed is no upload, and its parts are aborted', async () => {
    const { files, requests } = await fakeS3((request, response) => {
      if (isBegin(request)) return void response.end(STARTED)
      if (isPart(request)) return void response.writeHead(200, { etag: ETAG }).end()
      if (isEnd(request)) return void response.writeHead(200).end(errorXml('AccessDenied'))
      if (isAbort(request)) return void response.writeHead(204).end()
      response.writeHead(404).end(errorXml('NoSuchUpload'))
    }, PARTS)
    await expect(files.upload('a', BODY)).rejects.toMatchObject({ code: 'permission-denied' })
    expect(requests.some(isAbort)).toBe(true)
  })

  test('deletes: each key has its own outcome', async () => {
    const { files } = await fakeS3((_, response) => {
      response.end(
        `<DeleteResult><Deleted><Key>a</Key></Deleted><Deleted><Key>v</Key><DeleteMarker>true</DeleteMarker>
        <DeleteMarkerVersionId>m1</DeleteMarkerVersionId></Deleted>
        <Error><Key>b&amp;c</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>`,
      )
    })
    const results = await files.deleteMany(['b&c', 'a', 'v', 'unsaid'])
    expect(results).toMatchObject([
      {
        key: 'b&c',
        status: 'error',
        error: { code: 'permission-denied', operation: 'deleteMany', key: 'b&c' },
      },
      { key: 'a', status: 'gone' },
      { key: 'v', status: 'gone', deleteMarker: true, versionId: 'm1' },
      { key: 'unsaid', status: 'error', error: { code: 'internal' } },
    ])
  })
})

describe('deletes of many', () => {
  test('carry an MD5, and ask in batches of 1,000', async () => {
    const { files, requests } = await fakeS3(({ body }, response) => {
      const keys = [...body.matchAll(/<Key>(.*?)<\/Key>/g)].map(
        match => `<Deleted><Key>${match[1]}</Key></Deleted>`,
      )
      response.end(`<DeleteResult>${keys.join('')}</DeleteResult>`)
    })
    const results = await files.deleteMany(Array.from({ length: 1001 }, (_, i) => `k${i}`))
    expect(results.every(result => result.status === 'gone')).toBe(true)
    expect(requests.map(({ body }) => body.split('<Key>').length - 1).sort()).toEqual([1, 1000])
    for (const { headers, body } of requests)
      expect(headers['content-md5']).toBe(createHash('md5').update(body).digest('base64'))
  })

  test('go one by one where the server has no DeleteObjects, or the user says so', async () => {
    const answer = ({ method }: FakeRequest, response: Parameters<Parameters<typeof fakeS3>[0]>[1]) => {
      if (method === 'DELETE') response.writeHead(204).end()
      else response.writeHead(501).end(errorXml('NotImplemented'))
    }
    const found = await fakeS3(answer)
    expect(await found.files.deleteMany(['a', 'b'])).toMatchObject([{ status: 'gone' }, { status: 'gone' }])
    const told = await fakeS3(answer, { deleteMethod: 'single' })
    expect(await told.files.deleteMany(['a', 'b'])).toMatchObject([{ status: 'gone' }, { status: 'gone' }])
    expect(told.requests.map(request => request.method)).toEqual(['DELETE', 'DELETE'])
  })

  test('a key that no XML can name goes alone', async () => {
    const { files, requests } = await fakeS3(
      ({ method }, response) => {
        if (method === 'DELETE') return void response.writeHead(204).end()
        response.end('<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>')
      },
      { keys: { allowed: undefined } },
    )
    expect(await files.deleteMany(['a', 'b\u0001'])).toMatchObject([
      { status: 'gone' },
      { key: 'b\u0001', status: 'gone' },
    ])
    expect(requests.map(({ method }) => method).sort()).toEqual(['DELETE', 'POST'])
  })
})

describe('multipart', () => {
  test('a part that fails is sent again, and the upload succeeds', async () => {
    let failures = 0
    const { files } = await fakeS3((request, response) => {
      if (isBegin(request)) return void response.end(STARTED)
      if (isPart(request) && request.target.includes('partNumber=2') && failures++ < 2)
        return void response.writeHead(503).end(errorXml('SlowDown'))
      if (isPart(request)) return void response.writeHead(200, { etag: ETAG }).end()
      response.end('<CompleteMultipartUploadResult><ETag>"e-3"</ETag></CompleteMultipartUploadResult>')
    }, PARTS)
    expect(await files.upload('a', BODY)).toMatchObject({ etag: 'e-3' })
    expect(failures).toBe(3)
  })

  test('parts are aborted until the server lists none', async () => {
    let looks = 0
    const { files, requests } = await fakeS3((request, response) => {
      if (isBegin(request)) return void response.end(STARTED)
      if (isPart(request)) return void response.writeHead(403).end(errorXml('AccessDenied'))
      if (isAbort(request)) return void response.writeHead(204).end()
      if (isLook(request) && looks++ === 0)
        return void response.end('<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>')
      response.writeHead(404).end(errorXml('NoSuchUpload'))
    }, PARTS)
    await expect(files.upload('a', BODY)).rejects.toMatchObject({ code: 'permission-denied' })
    expect(requests.filter(isAbort)).toHaveLength(2)
  })

  test('a completion whose answer got lost is recognised by the ETag it must have', async () => {
    const md5s = Buffer.from(ETAG.slice(1, -1).repeat(3), 'hex')
    const etag = `"${createHash('md5').update(md5s).digest('hex')}-3"`
    const { files, requests } = await fakeS3((request, response) => {
      if (isBegin(request)) return void response.end(STARTED)
      if (isPart(request)) return void response.writeHead(200, { etag: ETAG }).end()
      if (isEnd(request)) return void response.destroy()
      response.writeHead(200, { ...OBJECT_HEADERS, etag, 'content-length': String(BODY.length) }).end()
    }, PARTS)
    expect(await files.upload('a', BODY)).toMatchObject({ etag: etag.slice(1, -1) })
    expect(requests.some(isAbort)).toBe(false)
  })
})
