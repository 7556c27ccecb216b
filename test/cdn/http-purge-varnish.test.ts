import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hostFetch } from '../../src/cdn/host-fetch.ts'
import { httpPurge } from '../../src/cdn/index.ts'
import { findVarnish, startVarnish } from '../support/cdn/varnish.ts'
import { errorOf } from '../support/cdn/vendor-cases.ts'
import { target } from '../support/cdn/vendor-stand-in.ts'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'
import type { ServerProcess } from '../support/server-process.ts'

const HOST = 'files.example.org'

describe('httpPurge and a real Varnish', () => {
  const varnishd = findVarnish()
  if (varnishd === undefined) {
    test('needs varnishd', context => context.skip('varnishd is not here: install the package varnish'))
    return
  }
  let origin: LoopbackServer
  let cache: ServerProcess
  let served: string[] = []
  beforeAll(async () => {
    origin = await loopbackServer()
    origin.use((request, response) => {
      served.push(`${request.method} ${request.url}`)
      response.writeHead(200, { vary: 'accept-language' }).end('bytes')
    })
    cache = await startVarnish(varnishd, origin.port)
  })
  beforeEach(() => {
    served = []
  })
  afterAll(async () => {
    await cache?.stop()
    await origin?.close()
  })

  const server = () => `http://127.0.0.1:${cache.port}`
  const create = (headers = {}) => httpPurge({ baseUrl: `https://${HOST}`, servers: [server()], headers })
  const get = async (path: string, headers = {}) => {
    const sent = { host: HOST, ...headers }
    const answer = await hostFetch(server() + path, { method: 'GET', headers: sent, redirect: 'manual' })
    expect([answer.status, await answer.text()]).toEqual([200, 'bytes'])
  }

  test('serves a URL from the origin again after its purge, and only that URL', async () => {
    const paths = ['/a%20b.jpg?w=4', '/a%20b.jpg', '/other']
    for (const path of paths) await get(path)
    served = []
    for (const path of paths) await get(path)
    expect(served).toEqual([])
    const handedOut = target('a b.jpg', { paths: ['/a%20b.jpg?w=4'] })
    expect(await create().invalidate([handedOut])).toEqual([{ ok: true }])
    for (const path of paths) await get(path)
    expect(served).toEqual(['GET /a%20b.jpg?w=4', 'GET /a%20b.jpg'])
  })

  test('purges every variant of a URL', async () => {
    for (const language of ['de', 'fr']) await get('/varied', { 'accept-language': language })
    expect(await create().invalidate([target('varied')])).toEqual([{ ok: true }])
    served = []
    for (const language of ['de', 'fr']) await get('/varied', { 'accept-language': language })
    expect(served).toHaveLength(2)
  })

  test('is ok where nothing was cached, and never asks the origin', async () => {
    expect(await create().invalidate([target('never/asked-for')])).toEqual([{ ok: true }])
    expect(served).toEqual([])
  })

  test('says permission-denied where Varnish does not allow it', async () => {
    const error = errorOf(await create({ 'x-from': 'outside' }).invalidate([target('a')]))
    expect(error).toMatchObject({ code: 'permission-denied', retryable: false, status: 405 })
  })
})
