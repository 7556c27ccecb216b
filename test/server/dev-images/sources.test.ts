import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { type ErrorCode, StorageError } from '../../../src/core/errors.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { type LoopbackServer, loopbackServer } from '../../support/loopback-server.ts'
import { localUrl, plainImage, reasonOf, servedImages, signed } from './signed-urls.ts'

const httpUrl = (source: string) => signed(`/w:10/plain/${encodeURIComponent(source)}@png`)

describe('http sources of devImages', () => {
  let inside: LoopbackServer
  let outside: LoopbackServer
  const asked: string[] = []

  beforeAll(async () => {
    inside = await loopbackServer()
    outside = await loopbackServer()
    const image = await plainImage('red').toBuffer()
    inside.use((request, response) => {
      asked.push(`inside ${request.url}`)
      const [, status, to] = /^\/(30\d)\?to=(.*)$/.exec(request.url!) ?? []
      if (status !== undefined)
        return void response.writeHead(Number(status), { location: decodeURIComponent(to!) }).end()
      if (request.url === '/loop') return void response.writeHead(302, { location: '/loop' }).end()
      if (request.url === '/login') {
        const known = request.headers.authorization === `Basic ${btoa('me:p@ss')}`
        return void response.writeHead(known ? 200 : 401).end(image)
      }
      if (request.url === '/short') {
        response.writeHead(200, { 'content-length': image.length }).write(image.subarray(0, 100))
        return void setImmediate(() => response.destroy())
      }
      response.writeHead(200, { etag: 'W/"v1"' }).end(image)
    })
    outside.use((request, response) => {
      asked.push(`outside ${request.url}`)
      response.end(image)
    })
  })
  afterAll(() => Promise.all([inside?.close(), outside?.close()]))

  it('come from the origins that were named, and from none by default', async () => {
    asked.length = 0
    const closed = await servedImages({})
    const open = await servedImages({}, { origins: [inside.origin] })
    for (const [{ ask }, source] of [
      [closed, `${inside.origin}/a.jpg`],
      [open, `${outside.origin}/a.jpg`],
      [open, `http://127.0.0.1.example.org:${inside.port}/a.jpg`],
      [open, `http://127.0.0.1:${inside.port}@127.0.0.1:${outside.port}/a.jpg`],
      [open, `https://127.0.0.1:${inside.port}/a.jpg`],
      [open, `http://localhost:${inside.port}/a.jpg`],
      [open, `http://169.254.169.254/latest/meta-data`],
    ] as const) {
      const answer = await ask(httpUrl(source))
      expect([answer.status, await answer.text()]).toEqual([404, 'Invalid source URL'])
      expect(reasonOf(answer)).toMatch(/is not among origins/)
    }
    expect(asked).toEqual([])
    expect((await open.ask(httpUrl(`${inside.origin}/a.jpg`))).status).toBe(200)
  })

  it('are not followed to another origin', async () => {
    asked.length = 0
    const { ask } = await servedImages({}, { origins: [inside.origin] })
    const redirect = (to: string) => httpUrl(`${inside.origin}/302?to=${encodeURIComponent(to)}`)
    expect((await ask(redirect('/a.jpg'))).status).toBe(200)
    const away = await ask(redirect(`${outside.origin}/a.jpg`))
    expect([away.status, await away.text()]).toEqual([404, 'Invalid source URL'])
    expect((await ask(redirect('file:///etc/passwd'))).status).toBe(404)
    expect(asked.filter(one => one.startsWith('outside'))).toEqual([])
  })

  it('are not followed in a circle', async () => {
    const { ask } = await servedImages({}, { origins: [inside.origin] })
    asked.length = 0
    const answer = await ask(httpUrl(`${inside.origin}/loop`))
    expect([answer.status, reasonOf(answer)]).toEqual([404, 'the source redirects more than 10 times'])
    expect(asked).toHaveLength(11)
  })

  it('are asked with the name and password of their URL', async () => {
    const { ask } = await servedImages({}, { origins: [inside.origin] })
    const source = inside.origin.replace('//', '//me:p%40ss@')
    expect((await ask(httpUrl(`${source}/login`))).status).toBe(200)
    expect((await ask(httpUrl(`${inside.origin}/login`))).status).toBe(401)
    const noText = await ask(httpUrl(inside.origin.replace('//', '//me:%ff@')))
    expect([noText.status, reasonOf(noText)]).toEqual([404, expect.stringMatching(/name or the password/)])
  })

  it('that break off are no images', async () => {
    const { ask } = await servedImages({}, { origins: [inside.origin] })
    const answer = await ask(httpUrl(`${inside.origin}/short`))
    expect([answer.status, await answer.text()]).toEqual([422, 'Source response is incomplete'])
  })
})

describe('stored sources of devImages', () => {
  it.each<[ErrorCode, number]>([
    ['not-found', 404],
    ['invalid-key', 404],
    ['unauthenticated', 401],
    ['permission-denied', 403],
    ['rate-limited', 429],
    ['unavailable', 502],
    ['internal', 502],
    ['timeout', 504],
  ])('answer %s with %i', async (code, status) => {
    const failing = forward(memory(), {
      download: async () => {
        throw new StorageError(code, 'the store said something with a secret in it')
      },
    })
    const { ask } = await servedImages({}, { local: failing })
    const answer = await ask(localUrl('', 'a.jpg'))
    expect([answer.status, await answer.text()]).toEqual([status, 'Source is unreachable'])
    expect(reasonOf(answer)).toBe(`the store says ${code}`)
  })

  it('have no host where they are local', async () => {
    const images = { 'a.jpg': plainImage('red'), 'b/a.jpg': plainImage('red') }
    const { ask } = await servedImages(images)
    const status = async (source: string) =>
      (await ask(signed(`/plain/${encodeURIComponent(source)}@png`))).status
    expect(await status('local:///b/a.jpg')).toBe(200)
    expect(await status('local://a.jpg')).toBe(404)
    expect(await status('local://b/a.jpg')).toBe(404)
  })

  it('that turn out to be known to the client may fail to be closed', async () => {
    const failures: unknown[] = []
    const onFailure = (error: unknown) => failures.push(error)
    process.on('unhandledRejection', onFailure)
    try {
      const body = {
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: true as const, value: undefined }),
          return: () => Promise.reject(new Error('closing failed')),
        }),
      }
      const { ask } = await servedImages({}, { source: () => ({ body, etag: 'v1' }) })
      const answer = await ask(localUrl('', 'a', 'png'), { headers: { 'if-none-match': '"v1"' } })
      expect(answer.status).toBe(304)
      await new Promise(resolve => setImmediate(resolve))
      expect(failures).toEqual([])
    } finally {
      process.off('unhandledRejection', onFailure)
    }
  })

  it('end at the question mark, unless told otherwise', async () => {
    const url = localUrl('', 'a?b.jpg', 'png')
    const images = { 'a?b.jpg': plainImage('red') }
    expect((await (await servedImages(images)).ask(url)).status).toBe(404)
    expect((await (await servedImages(images, { querySeparator: '' })).ask(url)).status).toBe(200)
  })

  it('are found in the bucket that is named, and in no other', async () => {
    const bucket = memory()
    await bucket.upload('a/b.jpg', await plainImage('red').toBuffer())
    const { ask } = await servedImages({}, { buckets: { photos: bucket } })
    const status = async (source: string) => (await ask(httpUrl(source))).status
    expect(await status('s3://photos/a/b.jpg')).toBe(200)
    expect(await status('s3://other/a/b.jpg')).toBe(404)
    expect(await status('s3://toString/a/b.jpg')).toBe(404)
    expect(await status('s3://photos')).toBe(404)
  })

  it('of other kinds come from a function of the application', async () => {
    const asked: string[] = []
    const source = async (url: string) => {
      asked.push(url)
      return url.startsWith('db:') ? { body: await plainImage('red').toBuffer(), etag: 'v7' } : undefined
    }
    const { ask } = await servedImages({}, { source })
    expect((await ask(httpUrl('db://photos/7'))).headers.get('etag')).toBe('"v7"')
    expect((await ask(httpUrl('ftp://photos/7'))).status).toBe(404)
    expect(asked).toEqual(['db://photos/7', 'ftp://photos/7'])
  })
})
