/** What the stand-in does beyond the recordings: its own switches, and rules that only the real source states. */
import { createHash, createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { SignatureV4 } from '@smithy/signature-v4'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SupabaseServer, startSupabaseServer } from './support/supabase-server/start-supabase-server.ts'

const START = Date.parse('2026-11-23T12:00:00.500Z')
let clock = START
let server: SupabaseServer
let files: SupabaseServer

beforeAll(async () => {
  server = await startSupabaseServer({ now: () => clock })
  files = await startSupabaseServer({ now: () => clock, blobStore: 'file' })
  for (const { url, serviceKey } of [server, files])
    await api(url, serviceKey, 'POST', '/bucket', { name: 'b' })
})

afterAll(async () => {
  await server.stop()
  await files.stop()
})

async function api(url: string, key: string, method: string, path: string, body?: unknown, headers = {}) {
  const json = typeof body === 'object' && !(body instanceof Uint8Array)
  const response = await fetch(`${url}/storage/v1${path}`, {
    method,
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : (body as string) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

const ask = (method: string, path: string, body?: unknown, headers = {}) =>
  api(server.url, server.serviceKey, method, path, body, headers)
const put = (path: string, body = 'x') =>
  ask('POST', `/object/b/${path}`, body, { 'content-type': 'text/plain' })

async function pages(query: Record<string, unknown>): Promise<string[][]> {
  const all: string[][] = []
  let cursor: string | undefined
  do {
    const { body } = await ask('POST', '/object/list-v2/b', { ...query, ...(cursor ? { cursor } : {}) })
    all.push([...body.folders, ...body.objects].map((entry: { name: string }) => entry.name))
    cursor = body.nextCursor
  } while (cursor)
  return all
}

describe('listing in pages', () => {
  beforeAll(async () => {
    for (const name of ['p/a', 'p/a.txt', 'p/b', 'p/c/1', 'p/c/2', 'p/d']) await put(name)
  })

  it('tells no next page when the last one is exactly full', async () => {
    expect(await pages({ prefix: 'p/', limit: 3 })).toEqual([
      ['p/a', 'p/a.txt', 'p/b'],
      ['p/c/1', 'p/c/2', 'p/d'],
    ])
  })

  it('goes on past a folder that ended a folded page', async () => {
    expect(await pages({ prefix: 'p/', limit: 4, with_delimiter: true })).toEqual([
      ['p/c/', 'p/a', 'p/a.txt', 'p/b'],
      ['p/d'],
    ])
  })

  it('loses, as the real server does, what sorts between a file and its slash at the end of a folded page', async () => {
    expect(await pages({ prefix: 'p/', limit: 1, with_delimiter: true })).toEqual([
      ['p/a'],
      ['p/b'],
      ['p/c/'],
      ['p/d'],
    ])
  })
})

describe('policies', () => {
  it('open a bucket to a role for the actions they name', async () => {
    const anon = (method: string, path: string, body?: unknown) =>
      api(server.url, server.anonKey, method, path, body)
    expect((await anon('POST', '/object/b/anon/1', 'x')).body.statusCode).toBe('403')
    server.addPolicy({
      bucket: 'b',
      roles: ['anon'],
      actions: ['insert', 'select'],
      when: row => row.name.startsWith('anon/'),
    })
    expect((await anon('POST', '/object/b/anon/1', 'x')).status).toBe(200)
    expect((await anon('GET', '/object/b/anon/1')).body).toBe('x')
    expect((await anon('DELETE', '/object/b', { prefixes: ['anon/1'] })).body).toEqual([])
    expect((await anon('GET', '/object/b/p/a')).body.code).toBe('NoSuchKey')
  })
})

describe('an upload that is cut off', () => {
  it('leaves no object', async () => {
    const request = httpRequest(`${server.url}/storage/v1/object/b/cut`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.serviceKey}`, 'content-length': 10 },
    })
    const closed = new Promise(resolve => request.on('close', resolve).on('error', resolve))
    await new Promise<void>(resolve => request.write('half', () => resolve()))
    request.destroy()
    await closed
    expect((await ask('GET', '/object/info/b/cut')).body.code).toBe('NoSuchKey')
  })
})

describe('a move onto itself', () => {
  it('answers 200 and changes nothing', async () => {
    await put('still')
    const before = (await ask('GET', '/object/info/b/still')).body
    const keys = { bucketId: 'b', sourceKey: 'still', destinationKey: 'still' }
    expect((await ask('POST', '/object/move', keys)).status).toBe(200)
    expect((await ask('GET', '/object/info/b/still')).body).toEqual(before)
  })
})

describe('time', () => {
  it('ends a signed URL and an unfinished resumable upload', async () => {
    await put('timed')
    const { body } = await ask('POST', '/object/sign/b/timed', { expiresIn: 60 })
    const created = await ask('POST', '/upload/resumable', undefined, {
      'tus-resumable': '1.0.0',
      'upload-length': '5',
      'upload-metadata': `bucketName ${btoa('b')},objectName ${btoa('late')}`,
    })
    const upload = new URL(created.headers.get('location') ?? '').pathname.slice('/storage/v1'.length)
    const tus = { 'tus-resumable': '1.0.0' }
    expect((await api(server.url, '', 'GET', body.signedURL)).status).toBe(200)
    expect((await ask('HEAD', upload, undefined, tus)).status).toBe(200)
    clock += 25 * 60 * 60 * 1000
    expect((await api(server.url, '', 'GET', body.signedURL)).body.code).toBe('InvalidJWT')
    expect((await ask('HEAD', upload, undefined, tus)).status).toBe(410)
    clock = START
  })
})

describe('the file backend', () => {
  const file = (method: string, path: string, body?: unknown, headers = {}) =>
    api(files.url, files.serviceKey, method, path, body, headers)

  it('answers 416 to a range it cannot serve', async () => {
    await file('POST', '/object/b/r', 'hello')
    expect((await file('GET', '/object/b/r', undefined, { range: 'bytes=9-' })).status).toBe(416)
    expect((await file('GET', '/object/b/r', undefined, { range: 'bytes=0-0,2-2' })).body.error).toBe(
      'invalid_range',
    )
    expect((await file('GET', '/object/b/r', undefined, { range: 'bytes=1-2' })).body).toBe('el')
  })

  it('keeps slashes apart that S3 refuses', async () => {
    expect((await file('POST', '/object/b/d//s', 'two')).status).toBe(200)
    expect((await file('POST', '/object/b/d/s', 'one')).status).toBe(200)
    expect((await file('GET', '/object/b/d//s')).body).toBe('two')
  })
})

describe('the S3 endpoint', () => {
  const client = () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = server.s3
    const credentials = { accessKeyId, secretAccessKey }
    return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })
  }

  it('serves a presigned URL until it ends, and no altered one', async () => {
    clock = Date.now()
    await put('s3/presigned', 'hello')
    const command = new GetObjectCommand({ Bucket: 'b', Key: 's3/presigned' })
    const url = await getSignedUrl(client(), command, { expiresIn: 60 })
    expect(await (await fetch(url)).text()).toBe('hello')
    expect((await fetch(url.replace('presigned?', 'other?'))).status).toBe(403)
    clock += 120_000
    expect(await (await fetch(url)).text()).toContain('<Code>ExpiredToken</Code>')
    clock = START
  })

  it('takes a body in chunks with a trailer', async () => {
    const Body = Readable.from([Buffer.from('strea'), Buffer.from('med')])
    await client().send(new PutObjectCommand({ Bucket: 'b', Key: 's3/stream', Body, ContentLength: 8 }))
    expect((await ask('GET', '/object/b/s3/stream')).body).toBe('streamed')
  })

  it('checks the signature of every chunk', async () => {
    expect((await putChunk('s3/chunks', 'signed', 'signed')).status).toBe(200)
    expect((await ask('GET', '/object/b/s3/chunks')).body).toBe('signed')
    expect((await putChunk('s3/chunks', 'signed', 'forged')).status).toBe(403)
    expect((await ask('GET', '/object/b/s3/chunks')).body).toBe('signed')
  })
})

/** One signed chunk of six bytes, whose signature is that of `signed` and whose bytes are `sent`. */
async function putChunk(key: string, signed: string, sent: string): Promise<Response> {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3
  const { hostname, host, pathname } = new URL(`${endpoint}/b/${key}`)
  const hash = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: NodeHash,
    uriEscapePath: false,
  })
  const { headers } = await signer.sign({
    protocol: 'http:',
    method: 'PUT',
    hostname,
    path: pathname,
    headers: { host, 'x-amz-content-sha256': hash, 'x-amz-decoded-content-length': '6' },
  })
  const day = String(headers['x-amz-date']).slice(0, 8)
  const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest()
  const signingKey = [region, 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, day))
  let previous = /Signature=(\w+)/.exec(String(headers.authorization))?.[1] ?? ''
  const chunk = (claimed: string, bytes: string) => {
    const digests = ['', claimed].map(text => createHash('sha256').update(text).digest('hex'))
    const scope = `${day}/${region}/s3/aws4_request`
    const lines = ['AWS4-HMAC-SHA256-PAYLOAD', headers['x-amz-date'], scope, previous, ...digests]
    previous = hmac(signingKey, lines.join('\n')).toString('hex')
    return `${bytes.length.toString(16)};chunk-signature=${previous}\r\n${bytes}\r\n`
  }
  return fetch(`${endpoint}/b/${key}`, { method: 'PUT', headers, body: chunk(signed, sent) + chunk('', '') })
}

/** What the signer wants of a hash. */
class NodeHash {
  private readonly hash
  constructor(secret?: unknown) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer)
  }
  update(data: Uint8Array): void {
    this.hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest()
  }
}

describe('faults', () => {
  it('cut the connection before or after the server acts, or answer in its place', async () => {
    server.faults.onRequest = () => 'drop'
    await expect(put('dropped')).rejects.toThrow('fetch failed')
    server.faults.onRequest = () => 'drop-answer'
    await expect(put('kept')).rejects.toThrow('fetch failed')
    server.faults.onRequest = () => ({
      status: 429,
      body: { statusCode: '429' },
      headers: { 'retry-after': '1' },
    })
    expect((await put('limited')).headers.get('retry-after')).toBe('1')
    server.faults.onRequest = undefined
    expect((await ask('GET', '/object/b/dropped')).status).toBe(400)
    expect((await ask('GET', '/object/b/kept')).status).toBe(200)
    expect((await ask('GET', '/object/b/limited')).status).toBe(400)
  })
})
