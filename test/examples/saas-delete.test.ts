import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newBucket } from '../adapters/s3/bucket.ts'
import { build } from '../package/packed-package.ts'
import { eventually } from '../support/eventually.ts'
import { createDatabase, describeOnPostgres, type TestDatabase } from '../support/on-postgres.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'
import { type RunningExample, runExample } from './run-example.ts'
import { bytesIn, DEFAULTS, LAKE, newFolder, removeFolders, startServer } from './saas-delete-server.ts'

beforeAll(build)
afterAll(removeFolders)

interface Attachment {
  id: string
  name: string
}

function json<Answer>(response: Response): Promise<Answer> {
  return response.json() as Promise<Answer>
}

function table(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter(line => /^ {2}(uploaded|killed|recovered) /.test(line))
    .map(line => line.trim().replace(/ +/g, ' '))
}

/** After the upload, after the kill and after the recovery, for each of the three moments. */
const BOTH_OR_NEITHER = [
  'uploaded there there there 0',
  'killed there there there 0',
  'recovered there there there 0',
  'uploaded there there there 0',
  'killed gone gone there 1',
  'recovered gone gone gone 0',
  'uploaded there there there 0',
  'killed gone gone gone 1',
  'recovered gone gone gone 0',
]

describe('the crash of saas-delete', () => {
  it('leaves both row and file or neither, wherever the process is killed', async () => {
    const { status, stdout, stderr, left } = await runExample('saas-delete/crash.js', [], DEFAULTS)
    expect([status, stderr, left]).toEqual([0, '', []])
    expect(table(stdout)).toEqual(BOTH_OR_NEITHER)
    expect(stdout).toContain('rows in sqlite, files in local')
    expect(stdout).toContain('no orphan, and no record without its bytes')
  })

  it('names what it can not open in one line', async () => {
    const env = { ...DEFAULTS, DATABASE_URL: 'mysql://host/app' }
    const { status, stderr } = await runExample('saas-delete/crash.js', [], env)
    expect([status, stderr.trim().split('\n').length]).toEqual([1, 1])
    expect(stderr).toMatch(/openEngine: this is no URL/)
  })
})

describeOnPostgres('the crash of saas-delete', server => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase(server)
  })
  afterAll(() => database?.drop())

  it('leaves both row and file or neither', async () => {
    const env = { ...DEFAULTS, DATABASE_URL: database.url }
    const { status, stdout, stderr } = await runExample('saas-delete/crash.js', [], env)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('rows in postgres, files in local')
    expect(table(stdout)).toEqual(BOTH_OR_NEITHER)
  })
})

describeOnS3Server('minio', 'saas-delete', server => {
  const inNewBucket = async (): Promise<Record<string, string>> => {
    const { bucket } = await newBucket(server)
    return {
      ...DEFAULTS,
      STOWAGE_URL: `s3://${bucket}?endpoint=${server.endpoint}&region=${server.region}`,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    }
  }

  it('leaves both row and file or neither, wherever the process is killed', async () => {
    const { status, stdout, stderr } = await runExample('saas-delete/crash.js', [], await inNewBucket())
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('rows in sqlite, files in s3')
    expect(table(stdout)).toEqual(BOTH_OR_NEITHER)
  })

  it('streams an upload to the bucket and redirects to it', async () => {
    const running = await startServer(newFolder(), await inNewBucket())
    const url = running.said[1]!
    try {
      const lake = readFileSync(LAKE)
      const { id } = await json<Attachment>(
        await fetch(`${url}/attachments?name=lake.jpg`, { method: 'POST', body: lake }),
      )
      const file = await fetch(`${url}/attachments/${id}`)
      expect(file.url.startsWith(server.endpoint)).toBe(true)
      expect(file.headers.get('content-disposition')).toContain('lake.jpg')
      expect(lake.equals(Buffer.from(await file.arrayBuffer()))).toBe(true)
      expect((await fetch(`${url}/attachments/${id}`, { method: 'DELETE' })).status).toBe(204)
      expect((await fetch(file.url)).status).toBe(404)
    } finally {
      await running.kill('SIGTERM')
    }
  })
})

describe('the server of saas-delete', () => {
  let folder: string
  let server: RunningExample
  let url: string

  beforeEach(async () => {
    folder = newFolder()
    server = await startServer(folder)
    url = server.said[1]!
  })
  afterEach(() => server?.kill('SIGTERM'))

  const attach = (name: string, body: string | Uint8Array) =>
    fetch(`${url}/attachments?name=${encodeURIComponent(name)}`, { method: 'POST', body })
  const list = async () =>
    (await json<{ attachments: Attachment[] }>(await fetch(`${url}/attachments`))).attachments

  it('attaches, lists, signs and deletes', async () => {
    const lake = readFileSync(LAKE)
    const answer = await attach('Grüße ☂.jpg', lake)
    const added = await json<Attachment>(answer)
    expect([answer.status, added]).toMatchObject([
      201,
      { name: 'Grüße ☂.jpg', size: lake.length, type: 'image/jpeg' },
    ])
    expect(await list()).toEqual([added])

    const redirect = await fetch(`${url}/attachments/${added.id}`, { redirect: 'manual' })
    const signed = redirect.headers.get('location')!
    expect([redirect.status, redirect.headers.get('cache-control')]).toEqual([302, 'no-store'])
    const file = await fetch(signed)
    expect(Buffer.from(await file.arrayBuffer())).toEqual(lake)
    expect(file.headers.get('content-disposition')).toContain(encodeURIComponent('Grüße ☂.jpg'))

    expect((await fetch(`${url}/attachments/${added.id}`, { method: 'DELETE' })).status).toBe(204)
    expect(await list()).toEqual([])
    // The URL that was handed out is dead, and so are the bytes.
    expect((await fetch(signed)).status).toBe(404)
    expect(bytesIn(folder)).toEqual([])
    expect((await fetch(`${url}/attachments/${added.id}`, { method: 'DELETE' })).status).toBe(204)
  })

  it('keeps no row and no byte of an upload that breaks off', async () => {
    const cut = new AbortController()
    const body = new ReadableStream({
      start: controller => controller.enqueue(new Uint8Array(1000)),
      pull: () => new Promise(() => {}),
    })
    const headers = { 'content-length': '100000' }
    const request = { method: 'POST', headers, body, duplex: 'half', signal: cut.signal } as RequestInit
    const sent = fetch(`${url}/attachments?name=cut.bin`, request).catch(error => error.name)
    const under = () => readdirSync(folder, { recursive: true }).length
    const before = under()
    await eventually(() => expect(under()).toBeGreaterThan(before))
    cut.abort()
    expect(await sent).toBe('AbortError')
    expect((await attach('whole.txt', 'whole')).status).toBe(201)
    expect((await list()).map(file => file.name)).toEqual(['whole.txt'])
    await eventually(() => expect(bytesIn(folder)).toHaveLength(1))
  })

  it('stores odd names as one segment below its own folder', async () => {
    for (const [given, kept] of [
      ['../../../etc/passwd', 'passwd'],
      ['C:\\fakepath\\a b.txt', 'a b.txt'],
      ['..', 'file'],
      ['', 'file'],
      ['x'.repeat(300), 'x'.repeat(200)],
    ] as const)
      expect((await json<Attachment>(await attach(given, 'text'))).name).toBe(kept)
    expect(bytesIn(folder)).toHaveLength(5)
  })

  it('refuses what is too large, of unknown size, from another site or not there, in words', async () => {
    const refused = async (answer: Response) => [answer.status, (await json<{ error: string }>(answer)).error]
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(3))
        controller.close()
      },
    })
    const chunked = { method: 'POST', body: stream, duplex: 'half' } as RequestInit
    expect(await refused(await fetch(`${url}/attachments`, chunked))).toEqual([
      411,
      'An upload must say its size.',
    ])
    const foreign = { method: 'POST', body: 'x', headers: { origin: 'https://elsewhere.example' } }
    expect(await refused(await fetch(`${url}/attachments`, foreign))).toEqual([
      403,
      'This request comes from another site.',
    ])
    expect(await refused(await fetch(`${url}/attachments/none`))).toEqual([
      404,
      'This file is not there any more.',
    ])
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
    expect(await list()).toEqual([])
  })

  it('goes on after it was killed, with what it had', async () => {
    await attach('kept.txt', 'kept')
    await server.kill('SIGKILL')
    server = await startServer(folder)
    url = server.said[1]!
    const [{ id, name } = {} as Attachment] = await list()
    expect([name, await (await fetch(`${url}/attachments/${id}`)).text()]).toEqual(['kept.txt', 'kept'])
    expect(await server.kill('SIGTERM')).toBe(0)
  })
})
