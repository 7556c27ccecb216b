import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { type FetchHandler, fileServer, toNodeHandler, type UrlSigning } from '../../src/server/index.ts'
import { freePort } from '../support/free-port.ts'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'
import { signedPut } from './served-memory.ts'

const SECRET = 'a-secret-of-some-length'

/** Mounts the handler under `/files` and says how to stop. */
type Mount = (
  handler: FetchHandler,
  server: LoopbackServer,
) => Promise<{ port?: number; stop?(): Promise<void> }>

const MOUNTS: Record<string, Mount> = {
  'node:http': async (handler, server) => {
    server.use(toNodeHandler(handler))
    return {}
  },
  Express: async (handler, server) => {
    const app = express()
    app.use('/files', toNodeHandler(handler))
    app.use(express.json())
    server.use(app)
    return {}
  },
  Hono: async handler => {
    const port = await freePort()
    const app = new Hono()
    app.all('/files/*', context => handler(context.req.raw))
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
    return { port, stop: () => new Promise(resolve => server.close(() => resolve())) }
  },
  Fastify: async handler => {
    const app = fastify()
    const node = toNodeHandler(handler)
    await app.register(async scope => {
      // Bodies pass untouched: fastify would read JSON and text itself and refuse the rest.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
      scope.all('/files/*', (request, reply) => {
        reply.hijack()
        return node(request.raw, reply.raw)
      })
    })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), stop: () => app.close() }
  },
}

describe.each(Object.entries(MOUNTS))('under %s', (_, mount) => {
  let server: LoopbackServer
  let files: StorageProvider
  let stop: (() => Promise<void>) | undefined

  beforeEach(async () => {
    server = await loopbackServer()
    let handler: FetchHandler | undefined
    const mounted = await mount(request => handler!(request), server)
    stop = mounted.stop
    const signing: UrlSigning = {
      baseUrl: `http://127.0.0.1:${mounted.port ?? server.port}/files`,
      secret: SECRET,
    }
    files = memory({ signing })
    handler = fileServer(files, { signing, cors: { origins: ['https://app.example'] } })
  })
  afterEach(async () => {
    await stop?.()
    await server.close()
  })

  it('uploads, reads, ranges, deletes and refuses', async () => {
    const key = 'a/ö b%2F.json'
    const up = await signedPut(files, key, { expiresIn: 60, contentType: 'application/json', maxSize: 100 })
    const put = (body: string) => fetch(up.url, { method: 'PUT', headers: up.headers, body })
    expect((await put('{"a": 1}')).status).toBe(200)
    expect((await put('x'.repeat(101))).status).toBe(413)
    const { url } = await files.signedUrl(key, { expiresIn: 60 })
    const whole = await fetch(url)
    expect([whole.headers.get('content-length'), await whole.text()]).toEqual(['8', '{"a": 1}'])
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '8'])
    const part = await fetch(url, { headers: { range: 'bytes=1-3' } })
    expect([part.status, await part.text()]).toEqual([206, '"a"'])
    const same = await fetch(url, { headers: { 'if-none-match': whole.headers.get('etag')! } })
    expect(same.status).toBe(304)
    expect((await fetch(`${url}x`)).status).toBe(403)
    const remove = await files.signedUrl(key, { expiresIn: 60, method: 'DELETE' })
    expect((await fetch(remove.url, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(url)).status).toBe(404)
  })

  it('answers a preflight', async () => {
    const { url } = await files.signedUpload('a', { expiresIn: 60 })
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'PUT' }
    const response = await fetch(url, { method: 'OPTIONS', headers })
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example')
  })
})

describe('under Express, behind a body parser', () => {
  it('says what is wrong instead of storing nothing', async () => {
    const server = await loopbackServer()
    const signing = { baseUrl: `${server.origin}/files`, secret: SECRET }
    const files = memory({ signing })
    const app = express()
    const seen: string[] = []
    app.use(express.json())
    app.use('/files', toNodeHandler(fileServer(files, { signing })))
    app.use(((error, _request, response, _next) => {
      seen.push(error.message)
      response.status(500).end()
    }) satisfies express.ErrorRequestHandler)
    server.use(app)
    const { url } = await files.signedUpload('a', { expiresIn: 60 })
    const headers = { 'content-type': 'application/json' }
    expect((await fetch(url, { method: 'PUT', headers, body: '{}' })).status).toBe(500)
    expect(seen).toEqual(['the body has been read already: mount the file server before body parsers'])
    await server.close()
  })
})
