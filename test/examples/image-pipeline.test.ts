import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isBlurhash } from '../../src/images/blurhash/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { build } from '../package/packed-package.ts'
import {
  bytesIn,
  newFolder,
  photo,
  removeFolders,
  type ShownImage,
  startServer,
  Visitor,
} from './image-pipeline-server.ts'

beforeAll(build)
afterAll(removeFolders)

const UUID = '[0-9a-f]{8}-[0-9a-f-]{27}'

describe('the server of image-pipeline', () => {
  let folder: string
  let server: Awaited<ReturnType<typeof startServer>>
  let ana: Visitor
  let ben: Visitor

  beforeEach(async () => {
    folder = newFolder()
    server = await startServer(folder)
    ana = new Visitor(server.url)
    ben = new Visitor(server.url)
  })
  afterEach(() => server?.kill('SIGTERM'))

  it('computes size as seen and blurhash itself, whatever the client says of them', async () => {
    const ticket = await ana.send(await photo({ orientation: 6 }))
    const hint = { width: 1, height: 1, blurhash: 'LEHV6nWB2yk8pyo0adR*.7kCMdnj' }
    const { status, body } = await ana.ask<ShownImage>('POST', '/images', {
      ticket,
      alt: 'Two\n halves',
      hint,
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ width: 400, height: 600, alt: 'Two halves', kind: 'insert', isMine: true })
    expect(body.imageId).toBe(body.id)
    expect(body.blurhash).not.toBe(hint.blurhash)
    expect(isBlurhash(body.blurhash)).toBe(true)
    expect((await ana.ask('GET', `/images/${body.id}`)).body).toEqual(body)
  })

  it('keeps images where their keys say: threads, temporary ones, the feed', async () => {
    const bytes = await photo()
    const first = await ana.upload(bytes)
    for (const kind of ['gen', 'mask', 'expand']) await ana.upload(bytes, { threadId: first.threadId, kind })
    await ana.upload(bytes, { place: 'temp' })
    await ana.upload(bytes, { place: 'feed', kind: 'watermark' })
    await ana.ask('POST', '/feed', { imageId: first.id })
    const paths = bytesIn(folder).map(path => path.split('/files/default/')[1])
    for (const form of [
      ...['insert', 'gen', 'mask', 'expand'].map(kind => `^${UUID}/${first.threadId}/${kind}_${UUID}\\.`),
      `^${UUID}/temp/${UUID}\\.`,
      `^feed/${UUID}/watermark_${UUID}\\.`,
      `^feed/${UUID}/insert_${UUID}\\.`,
    ])
      expect(
        paths.filter(path => new RegExp(form).test(path!)),
        form,
      ).toHaveLength(1)
    expect(paths).toHaveLength(7)
  })

  it('gives all versions of a thread in order', async () => {
    const first = await ana.upload(await photo())
    const { threadId } = first
    const ids = [first.id]
    for (const kind of ['gen', 'expand', 'gen'])
      ids.push((await ana.upload(await photo({ width: 300 }), { threadId, kind })).id)
    await ana.upload(await photo())
    const { body } = await ana.ask<{ images: ShownImage[] }>('GET', `/versions/${threadId}`)
    expect(body.images.map(({ id }) => id)).toEqual(ids)
    expect(body.images.map(({ kind }) => kind)).toEqual(['insert', 'gen', 'expand', 'gen'])
  })

  it('pages the feed, the newest first, and shows others what was shared only', async () => {
    const mine: string[] = []
    for (let count = 0; count < 5; count++)
      mine.unshift((await ana.upload(await photo({ width: 40, height: 30 }))).id)
    const seen: string[] = []
    for (let after = ''; ; ) {
      const page = await ana.feed(`?limit=2${after}`)
      seen.push(...page.images.map(({ id }) => id))
      if (page.next === undefined) break
      expect(page.images).toHaveLength(2)
      after = `&after=${page.next}`
    }
    expect(seen).toEqual(mine)
    expect((await ben.feed()).images).toEqual([])
    const { status, body } = await ana.ask<ShownImage>('POST', '/feed', { imageId: mine[0] })
    expect([status, body.id, body.isShared]).toEqual([201, mine[0], true])
    await ana.ask('POST', '/feed', { imageId: mine[0] })
    const shared = (await ben.feed()).images
    expect(shared).toMatchObject([{ alt: 'A photo', isMine: false, isShared: true, width: 40, height: 30 }])
    expect((await ben.ask('GET', `/versions/${shared[0]!.threadId}`)).status).toBe(200)
    // Hers is in the feed once, as the one that she began.
    expect((await ana.feed()).images.map(({ id }) => id)).toEqual(mine)
  })

  it('lets nobody finish, see, change or delete what is of somebody else', async () => {
    const ticket = await ana.send(await photo())
    expect((await ben.ask('POST', '/images', { ticket })).status).toBe(403)
    for (const forged of ['', 'a.b', `${ticket.slice(0, -2)}xx`, 7])
      expect((await ana.ask('POST', '/images', { ticket: forged })).status).toBe(403)
    const { body } = await ana.ask<ShownImage>('POST', '/images', { ticket })
    for (const [method, path, sent] of [
      ['GET', `/images/${body.id}`],
      ['GET', `/versions/${body.threadId}`],
      ['DELETE', `/images/${body.id}`],
      ['PATCH', `/images/${body.id}`, { alt: 'no' }],
      ['POST', '/feed', { imageId: body.id }],
    ] as const)
      expect((await ben.ask(method, path, sent)).status, `${method} ${path}`).toBe(404)
    await ana.ask('POST', '/feed', { imageId: body.id })
    const [shared] = (await ben.feed()).images
    expect((await ben.ask('DELETE', `/images/${shared!.id}`)).status).toBe(403)
    expect((await ben.ask('PATCH', `/images/${shared!.id}`, { alt: 'no' })).status).toBe(403)
    expect((await ana.feed()).images).toHaveLength(1)
  })

  it('finishes an upload once, however often it is asked to', async () => {
    const ticket = await ana.send(await photo())
    const answers = await Promise.all(
      [1, 2, 3].map(() => ana.ask<ShownImage>('POST', '/images', { ticket, alt: 'once' })),
    )
    const again = await ana.ask<ShownImage>('POST', '/images', { ticket, alt: 'once' })
    expect(again.status).toBe(201)
    for (const { status, body } of answers) if (status === 201) expect(body.id).toBe(again.body.id)
    expect(answers.map(({ status }) => status)).toContain(201)
    expect((await ana.feed()).images).toHaveLength(1)
    expect(bytesIn(folder)).toHaveLength(1)
  })

  it('takes no upload that is no image, and leaves nothing of it', async () => {
    for (const bytes of [Buffer.from('<script>alert(1)</script>'), Buffer.from(`GIF89a${'x'.repeat(100)}`)]) {
      const ticket = await ana.send(bytes, { contentType: 'image/gif' })
      const { status, body } = await ana.ask('POST', '/images', { ticket })
      expect([status, body.error.code]).toEqual([422, 'not-an-image'])
    }
    expect((await ana.feed()).images).toEqual([])
    expect(bytesIn(folder)).toEqual([])
  })

  it('refuses what it was not asked for, as JSON with a status', async () => {
    const wish = { contentType: 'image/png', size: 10 }
    for (const [status, path, body] of [
      [415, '/uploads', { ...wish, contentType: 'image/svg+xml' }],
      [413, '/uploads', { ...wish, size: 26 * 1024 ** 2 }],
      [400, '/uploads', { ...wish, size: 1.5 }],
      [400, '/uploads', { ...wish, kind: 'other' }],
      [400, '/uploads', { ...wish, threadId: '../../etc' }],
      [400, '/uploads', { ...wish, place: '__proto__' }],
      [400, '/uploads', { ...wish, place: 'parse' }],
      [400, '/uploads', '[1]'],
      [400, '/uploads', '{"contentType"'],
      [413, '/images', JSON.stringify({ alt: 'x'.repeat(20_000) })],
      [404, '/nothing', {}],
      [404, '/feed', { imageId: randomUUID() }],
    ] as const) {
      const answer = await ana.ask('POST', path, body)
      expect([answer.status, path, typeof answer.body.error?.message]).toEqual([status, path, 'string'])
    }
    const plain = await ana.ask('POST', '/uploads', wish, { 'content-type': 'text/plain' })
    const foreign = await ana.ask('POST', '/uploads', wish, { origin: 'https://evil.example' })
    expect([plain.status, foreign.status]).toEqual([415, 403])
    for (const query of ['?limit=0', '?limit=1000', '?limit=a']) {
      const answer = await ana.ask('GET', `/feed${query}`)
      expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid-argument'])
    }
    expect(server.output()).not.toMatch(/error/i)
  })

  it('lets nobody add to what somebody else has shared', async () => {
    const bytes = await photo()
    const mark = { place: 'feed', kind: 'watermark' }
    const first = await ana.upload(bytes, { place: 'feed' })
    await ana.upload(bytes, { ...mark, threadId: first.threadId })
    const wish = { contentType: 'image/jpeg', size: 10, ...mark, threadId: first.threadId }
    expect((await ben.ask('POST', '/uploads', wish)).status).toBe(403)
    const { body } = await ben.ask<{ images: ShownImage[] }>('GET', `/versions/${first.threadId}`)
    expect(body.images.map(({ kind, isMine }) => [kind, isMine])).toEqual([
      ['insert', false],
      ['watermark', false],
    ])
  })

  it('deletes what is kept for a while only when it is a day old', async () => {
    const bytes = await photo()
    const [old, young] = [
      await ana.upload(bytes, { place: 'temp' }),
      await ana.upload(bytes, { place: 'temp' }),
    ]
    const kept = await ana.upload(bytes)
    const { port } = new URL(server.url)
    await server.kill('SIGTERM')
    const engine = sqlite({ path: join(folder, 'app.db') })
    const longAgo = BigInt(Date.now() - 86_500_000)
    await engine.batch([
      ['UPDATE t_default__images SET created_at = ? WHERE id IN (?, ?)', longAgo, old.id, kept.id],
    ])
    await engine.close()
    server = await startServer(folder, { PORT: port })
    const statuses = await Promise.all(
      [old, young, kept].map(async ({ id }) => (await ana.ask('GET', `/images/${id}`)).status),
    )
    expect(statuses).toEqual([404, 200, 200])
    expect(bytesIn(folder)).toHaveLength(2)
  })

  it('gives the same URLs a second time, and counts them as hits', async () => {
    for (let count = 0; count < 3; count++) await ana.upload(await photo())
    const first = await ana.feed()
    const before = await ana.metric('signed_url_batch', 'hit')
    const second = await ana.feed()
    expect(second).toEqual(first)
    expect(await ana.metric('signed_url_batch', 'hit')).toBe(before + 3)
    const one = await ana.ask<ShownImage>('GET', `/images/${first.images[0]!.id}`)
    expect(one.body).toEqual(first.images[0])
    const { body } = await ana.ask<string>('GET', '/metrics')
    expect(body).toMatch(/http_request_seconds_count\{route="GET \/feed",status="200"\} 2/)
    expect(body).toMatch(/http_request_seconds_count\{route="GET \/images\/:id",status="200"\} 1/)
    expect(body).toMatch(/storage_operation_seconds_count\{operation="signedUrls",outcome="ok"\}/)
  })

  it('serves originals and thumbnails upright, and signs what it serves', async () => {
    const image = await ana.upload(await photo({ width: 1200, height: 800, orientation: 6 }))
    const sizes: Record<string, unknown> = {}
    for (const name of ['url', 'originUrl', 'thumbUrl', 'blurUrl'] as const) {
      const response = await fetch(image[name])
      expect(response.status, name).toBe(200)
      // Caches may keep it: a URL is that of one image for ever.
      expect(response.headers.get('cache-control'), name).toMatch(/max-age=[1-9]/)
      const { autoOrient, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
      sizes[name] = [format, autoOrient.width, autoOrient.height]
    }
    expect(sizes).toEqual({
      url: ['jpeg', 800, 1200],
      originUrl: ['webp', 800, 1200],
      thumbUrl: ['webp', 400, 600],
      blurUrl: ['webp', 20, 30],
    })
    expect((await fetch(image.thumbUrl.replace('rs:fit:400', 'rs:fit:800'))).status).toBe(403)
    expect((await fetch(image.url.replace(/signature=./, 'signature=_'))).status).toBe(403)
  })

  it('deletes rows and files together, and every URL of them dies', async () => {
    const image = await ana.upload(await photo())
    await ana.ask('POST', '/feed', { imageId: image.id })
    const [shared] = (await ben.feed()).images
    const urls = [image, shared!].flatMap(({ url, originUrl, thumbUrl, blurUrl }) => [
      url,
      originUrl,
      thumbUrl,
      blurUrl,
    ])
    for (const url of urls) expect((await fetch(url)).status).toBe(200)
    expect((await ana.ask('DELETE', `/images/${image.id}`)).status).toBe(204)
    for (const url of urls) expect((await fetch(url)).status).toBe(404)
    expect((await ben.feed()).images).toEqual([])
    expect((await ana.ask('GET', `/versions/${image.threadId}`)).status).toBe(404)
    expect((await ana.ask('DELETE', `/images/${image.id}`)).status).toBe(404)
    expect(bytesIn(folder)).toEqual([])
  })

  it('describes an image anew, also what was shared of it', async () => {
    const image = await ana.upload(await photo())
    await ana.ask('POST', '/feed', { imageId: image.id })
    const { body } = await ana.ask<ShownImage>('PATCH', `/images/${image.id}`, { alt: '  Red and blue ' })
    expect(body).toEqual({ ...image, alt: 'Red and blue', isShared: true })
    expect((await ben.feed()).images[0]!.alt).toBe('Red and blue')
    expect((await ana.ask('PATCH', `/images/${image.id}`, {})).status).toBe(400)
  })

  it('knows its visitors and their images after a restart', async () => {
    const image = await ana.upload(await photo())
    const { port } = new URL(server.url)
    await server.kill('SIGTERM')
    server = await startServer(folder, { PORT: port })
    expect((await ana.feed()).images).toMatchObject([{ id: image.id }])
    // What was handed out before still works.
    for (const url of [image.url, image.thumbUrl]) expect((await fetch(url)).status).toBe(200)
    expect(server.output()).toContain('recovered: 0 done')
  })

  it('keeps its secret to itself', async () => {
    const secret = readFileSync(join(folder, 'secret'), 'utf8')
    const answers = await Promise.all(
      [
        '/',
        '/about',
        '/metrics',
        '/assets/page.js',
        '/secret',
        '/files/../secret',
        '/assets/..%2f..%2fsecret',
      ].map(path => ana.ask<string>('GET', path)),
    )
    for (const { body } of answers) expect(JSON.stringify(body)).not.toContain(secret)
    expect(server.output()).not.toContain(secret)
    expect(answers[0]!.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})

describe('the server of image-pipeline, set up wrongly', () => {
  it.each([
    [{ STOWAGE_URL: 'ftp://host' }, /this is no URL of a store/],
    [{ DATABASE_URL: 'mysql://host' }, /this is no URL of a database/],
    [{ APP_SECRET: 'short' }, /APP_SECRET must have 16 characters/],
    [{ IMGPROXY_URL: 'http://127.0.0.1:8080', IMGPROXY_KEY: 'zz', IMGPROXY_SALT: '00' }, /imgproxy/],
  ])('says so in one line: %o', async (env, words) => {
    const failed = await startServer(newFolder(), env).then(
      () => 'it started',
      error => error.message as string,
    )
    expect(failed).toMatch(words)
    expect(failed.trim().split('\n')).toHaveLength(1)
  })
})
