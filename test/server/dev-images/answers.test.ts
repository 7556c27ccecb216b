import express from 'express'
import { describe, expect, it } from 'vitest'
import { toNodeHandler } from '../../../src/server/index.ts'
import { loopbackServer } from '../../support/loopback-server.ts'
import { localUrl, NOW_SECONDS, plainImage, reasonOf, servedImages, signed } from './signed-urls.ts'

const RED = { 'a/red.jpg': plainImage('red') }
const YEAR = 31_536_000

describe('an image of devImages', () => {
  it('may be cached for a year, but no longer than its URL lives', async () => {
    const { ask } = await servedImages(RED)
    const lifetimes = async (options: string) =>
      (await ask(localUrl(options, 'a/red.jpg', 'webp'))).headers.get('cache-control')
    expect(await lifetimes('w:10')).toBe(`max-age=${YEAR}, public`)
    expect(await lifetimes(`w:10/exp:${NOW_SECONDS + 90}`)).toBe('max-age=90, public')
    expect(await lifetimes(`exp:${NOW_SECONDS + 2 * YEAR}`)).toBe(`max-age=${YEAR}, public`)
    expect(await lifetimes('exp:0')).toBe(`max-age=${YEAR}, public`)
    expect(await lifetimes(`exp:${NOW_SECONDS}`)).toBe('no-cache')
  })

  it('is gone the second after its URL has expired', async () => {
    const { ask } = await servedImages(RED)
    const late = await ask(localUrl(`exp:${NOW_SECONDS - 1}`, 'a/red.jpg'))
    expect([late.status, await late.text()]).toEqual([404, 'Invalid URL'])
    expect(reasonOf(late)).toMatch(/expired/)
    expect(late.headers.has('cache-control')).toBe(false)
    const last = await servedImages(RED, { now: () => NOW_SECONDS * 1000 + 999 })
    expect((await last.ask(localUrl(`exp:${NOW_SECONDS}`, 'a/red.jpg'))).status).toBe(200)
  })

  it('carries the etag of its source, the same for all variants, and is not sent to who has it', async () => {
    const { ask, files } = await servedImages(RED)
    const { etag } = await files.info('a/red.jpg')
    const small = await ask(localUrl('w:10', 'a/red.jpg', 'webp'))
    const large = await ask(localUrl('w:20', 'a/red.jpg', 'webp'))
    expect([small, large].map(one => one.headers.get('etag'))).toEqual([`"${etag}"`, `"${etag}"`])
    const again = await ask(localUrl('w:10', 'a/red.jpg', 'webp'), {
      headers: { 'if-none-match': `"${etag}"` },
    })
    expect([again.status, await again.text()]).toEqual([304, ''])
    expect(again.headers.get('cache-control')).toBe(`max-age=${YEAR}, public`)
    const other = await ask(localUrl('w:10', 'a/red.jpg', 'webp'), {
      headers: { 'if-none-match': '"another"' },
    })
    expect(other.status).toBe(200)
  })

  it('frees the connection of a source that need not be read', async () => {
    let freed = 0
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          freed++
          return { done: true as const, value: undefined }
        },
      }),
    }
    const { ask } = await servedImages({}, { source: () => ({ body, etag: 'v1' }) })
    const answer = await ask(localUrl('', 'a.jpg'), { headers: { 'if-none-match': '"v1"' } })
    expect([answer.status, freed]).toEqual([304, 1])
  })

  it('can do nothing to the site that it is shown on', async () => {
    const page = Buffer.from('<script>alert(1)</script>')
    const { ask, files } = await servedImages({})
    await files.upload('page.html', page, { contentType: 'text/html' })
    const raw = await ask(localUrl('raw:1', 'page.html'))
    expect(Buffer.from(await raw.arrayBuffer())).toEqual(page)
    expect(raw.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/)
    expect(raw.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('has a name in which no header can be hidden', async () => {
    const { ask } = await servedImages(RED)
    const name = Buffer.from('a"\r\nset-cookie: b').toString('base64url')
    const image = await ask(localUrl(`fn:${name}:1/att:1`, 'a/red.jpg', 'png'))
    expect(image.headers.get('content-disposition')).toBe('attachment; filename="a%22  set-cookie: b.png"')
    expect(image.headers.has('set-cookie')).toBe(false)
    const own = await ask(localUrl('', 'a/red.jpg', 'png'))
    expect(own.headers.get('content-disposition')).toBe('inline; filename="red.png"')
  })

  it('may be read by scripts of the origins that are named', async () => {
    const { ask } = await servedImages(RED, { cors: { origins: ['http://page.example'] } })
    const from = async (origin: string) => {
      const answer = await ask(localUrl('', 'a/red.jpg'), { headers: { origin } })
      return answer.headers.get('access-control-allow-origin')
    }
    expect(await from('http://page.example')).toBe('http://page.example')
    expect(await from('http://other.example')).toBeNull()
  })
})

describe('an answer of devImages that is no image', () => {
  it('says so of a HEAD whatever it asks for, as imgproxy does', async () => {
    const { ask } = await servedImages(RED)
    for (const path of [localUrl('', 'a/red.jpg'), '/wrong/plain/x', '/'])
      expect((await ask(path, { method: 'HEAD' })).status).toBe(200)
  })

  it('names the server, so that nobody takes it for imgproxy', async () => {
    const { ask } = await servedImages(RED)
    for (const path of [localUrl('', 'a/red.jpg'), '/wrong/plain/x', '/health', '/'])
      expect((await ask(path)).headers.get('server')).toBe('stowage-dev-images')
    expect((await ask('/health')).status).toBe(200)
  })

  it('names the option that is not known here, in a header and in the log, and says to all what imgproxy says', async () => {
    const { ask, logged } = await servedImages(RED)
    const answer = await ask(localUrl('w:10/wm:0.5:soea', 'a/red.jpg'))
    expect([answer.status, await answer.text()]).toEqual([404, 'Invalid URL'])
    expect(reasonOf(answer)).toBe('imgproxy has the option wm, this development handler does not')
    expect(logged).toEqual([`stowage-dev-images: 404 Invalid URL: ${reasonOf(answer)}`])
  })

  it.each([
    ['nonsense:1', /has no option 'nonsense'/],
    ['w:ten', /option w takes a whole number/],
    ['rs:stretch:1:1', /option rs takes the types fit, fill/],
    ['q:101', /option q takes a whole number of 0 to 100/],
    ['g:fp:2:0', /focus point from 0 to 1/],
    ['w:1:2', /no more than 1 arguments/],
    ['pr:big', /preset.* 'big'/],
    ['f:bogus', /no output format 'bogus'/],
    ['f:jxl', /may write jxl, this development handler does not/],
    ['mrd:100', /security option/],
  ])('explains why %s is refused', async (options, reason) => {
    const { ask } = await servedImages(RED)
    const answer = await ask(localUrl(options, 'a/red.jpg'))
    expect(await answer.text()).toBe('Invalid URL')
    expect(reasonOf(answer)).toMatch(reason)
  })

  it('shows neither signature nor source', async () => {
    const { ask, logged } = await servedImages(RED)
    const secret = 'http://origin.example/a.jpg?X-Amz-Signature=0123456789abcdef'
    await ask(signed(`/w:10/plain/${encodeURIComponent(secret)}`))
    await ask(`/0123456789abcdef/w:10/plain/${encodeURIComponent(secret)}`)
    expect(logged).toHaveLength(2)
    expect(logged.join()).not.toMatch(/0123456789abcdef|a\.jpg/)
  })
})

describe('devImages under a path', () => {
  it('serves in Express, the prefix unsigned', async () => {
    const { handler } = await servedImages(RED, { basePath: '/img/' })
    const server = await loopbackServer()
    const app = express()
    app.use('/img', toNodeHandler(handler))
    server.use(app)
    try {
      const image = await fetch(`${server.origin}/img${localUrl('w:10', 'a/red.jpg', 'webp')}?v=1`)
      expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/webp'])
      const name = encodeURIComponent('猫')
      const other = await fetch(`${server.origin}/img${localUrl(`fn:${name}`, 'a/red.jpg')}`)
      expect(other.status).toBe(200)
    } finally {
      await server.close()
    }
  })

  it('answers nothing outside of it', async () => {
    const { ask } = await servedImages(RED, { basePath: '/img' })
    for (const path of [localUrl('', 'a/red.jpg'), '/imgs/x/y', '/img'])
      expect((await ask(path)).status).toBe(404)
  })
})
