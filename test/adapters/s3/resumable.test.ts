import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { UploadedPart } from '../../../src/core/provider.ts'
import { errorXml, type FakeRequest, fakeS3, OBJECT_HEADERS } from './fake-s3.ts'

const PART = 10
const bytes = Buffer.from('0123456789abcdefghijKLMNO')
const source = { size: bytes.length, read: async (start: number, end: number) => bytes.subarray(start, end) }
const md5 = (data: Uint8Array) => createHash('md5').update(data).digest('hex')
const partsOf = (data: Uint8Array) => [0, 10, 20].map(start => data.subarray(start, start + PART))
const ETAG = `${md5(Buffer.concat(partsOf(bytes).map(part => Buffer.from(md5(part), 'hex'))))}-3`
const small = { partSizeBytes: PART, uploadConcurrency: 2 }
const attributes = { contentType: 'a/b' }

const begun = `<InitiateMultipartUploadResult><UploadId>the-id</UploadId></InitiateMultipartUploadResult>`

/** A server that keeps no object; `more` answers what this does not. */
async function server(more: (request: FakeRequest, response: ServerResponse) => boolean) {
  return fakeS3((request, response) => {
    if (more(request, response)) return
    const { method, target, body } = request
    if (method === 'POST' && target.includes('uploads')) response.end(begun)
    else if (method === 'PUT' && target.includes('partNumber'))
      response.writeHead(200, { etag: `"${md5(Buffer.from(body, 'latin1'))}"` }).end()
    else if (method === 'DELETE') response.writeHead(204).end()
    else response.writeHead(404).end(errorXml('NoSuchUpload'))
  }, small)
}

async function begin(files: Awaited<ReturnType<typeof server>>['files']) {
  const parts: UploadedPart[] = []
  let token = ''
  const listeners = {
    onToken: (told: string) => {
      token = told
    },
    onPart: (part: UploadedPart) => void parts.push(part),
  }
  const upload = files.uploadResumable('a', source, { ...attributes, ...listeners })
  const outcome = await upload.then(
    info => info,
    error => error,
  )
  return { outcome, resume: { token, parts } }
}

const isComplete = ({ method, target }: FakeRequest) => method === 'POST' && target.includes('uploadId')

describe('a resumable upload to S3', () => {
  test('signs each part with its checksum, and tells parts as the server names them', async () => {
    const { files, requests } = await server((request, response) => {
      if (!isComplete(request)) return false
      response.end(`<CompleteMultipartUploadResult><ETag>"${ETAG}"</ETag></CompleteMultipartUploadResult>`)
      return true
    })
    const { outcome, resume } = await begin(files)
    expect(outcome).toMatchObject({ key: 'a', size: bytes.length, etag: ETAG, contentType: 'a/b' })
    const sent = requests.filter(({ method }) => method === 'PUT')
    for (const { body, headers } of sent)
      expect(headers['x-amz-content-sha256']).toBe(createHash('sha256').update(body, 'latin1').digest('hex'))
    expect(resume.parts.map(({ etag }) => etag).sort()).toEqual(partsOf(bytes).map(md5).sort())
  })

  test('whose completion is answered by nobody is looked for, and is no failure', async () => {
    let completions = 0
    const { files } = await server((request, response) => {
      if (request.method === 'HEAD') {
        response
          .writeHead(200, { ...OBJECT_HEADERS, etag: `"${ETAG}"`, 'content-length': bytes.length })
          .end()
        return true
      }
      if (!isComplete(request)) return false
      completions++
      response.destroy()
      return true
    })
    const { outcome } = await begin(files)
    expect(outcome).toMatchObject({ key: 'a', size: bytes.length, etag: ETAG })
    expect(completions).toBeGreaterThan(0)
  })

  test('that another process has completed is found by its parts, and nothing is sent', async () => {
    let completed = false
    const { files, requests } = await server((request, response) => {
      if (request.method === 'HEAD' && completed) {
        const headers = {
          ...OBJECT_HEADERS,
          etag: `"${ETAG}"`,
          'content-length': bytes.length,
          'content-type': 'a/b',
        }
        response.writeHead(200, headers).end()
        return true
      }
      if (!isComplete(request)) return false
      response.writeHead(403).end(errorXml('AccessDenied'))
      return true
    })
    const { outcome, resume } = await begin(files)
    expect(outcome).toMatchObject({ code: 'permission-denied' })
    expect(outcome.message).not.toContain(resume.token)
    completed = true
    const before = requests.length
    const info = await files.uploadResumable('a', source, { ...attributes, resume })
    expect(info.etag).toBe(ETAG)
    expect(requests.slice(before).map(({ method }) => method)).toEqual(['GET', 'HEAD'])
    // One with other attributes is another's.
    const other = { contentType: 'a/b', metadata: { mine: 'yes' }, resume }
    await expect(files.uploadResumable('a', source, other)).rejects.toMatchObject({
      code: 'permission-denied',
    })
  })

  test('reads the list of its parts page by page, and sends what has another size or etag there', async () => {
    const [first, second, third] = partsOf(bytes).map(md5)
    const part = (number: number, etag: string, size: number) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag><Size>${size}</Size></Part>`
    let completions = 0
    const { files, requests } = await server((request, response) => {
      if (request.method === 'GET') {
        const page = request.target.includes('part-number-marker=0')
          ? `${part(1, first!, PART)}<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>`
          : `${part(2, second!, PART - 1)}${part(3, third!, 5)}<IsTruncated>false</IsTruncated>`
        response.end(`<ListPartsResult>${page}</ListPartsResult>`)
        return true
      }
      if (!isComplete(request)) return false
      if (++completions === 1) response.writeHead(403).end(errorXml('AccessDenied'))
      else
        response.end(`<CompleteMultipartUploadResult><ETag>"${ETAG}"</ETag></CompleteMultipartUploadResult>`)
      return true
    })
    const { resume } = await begin(files)
    const before = requests.length
    const loaded: number[] = []
    await files.uploadResumable('a', source, {
      ...attributes,
      resume,
      onProgress: progress => void loaded.push(progress.loaded),
    })
    const sent = requests.slice(before).filter(({ method }) => method === 'PUT')
    expect(sent.map(({ target }) => /partNumber=(\d+)/.exec(target)![1])).toEqual(['2'])
    expect(loaded).toEqual([10, 15, 25])
  })
})
