/** Answers in all the forms that HTTP/1.1 allows and a proxy may choose. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpPool } from '../../../src/sql/rqlite/http-pool.ts'
import { readOptions } from '../../../src/sql/rqlite/options.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A server that says `answer` to each request, whatever it is. */
async function server(answer: (socket: Socket, request: number) => void) {
  let requests = 0
  let connections = 0
  const listening = createServer(socket => {
    connections++
    socket.on('error', () => {})
    socket.on('data', () => answer(socket, ++requests))
  })
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
  const node = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  const lost: string[] = []
  const pool = new HttpPool(readOptions({ url: node }), name => lost.push(name))
  closers.push(() => {
    pool.close()
    listening.close()
  })
  const ask = () => pool.request({ node, method: 'POST', path: '/db/query', body: '[]', timeoutMs: 2000 })
  return { ask, lost, connections: () => connections }
}

const OK = 'HTTP/1.1 200 OK\r\n'

describe('an HTTP connection', () => {
  test('reads a body in chunks, cut anywhere', async () => {
    const whole = `${OK}Transfer-Encoding: chunked\r\n\r\n6;a=b\r\nab\r\n\r\n\r\n3\r\n\u00e9c\r\n0\r\n\r\n`
    for (const size of [1, 3, 7, 1000]) {
      const { ask, connections } = await server(async socket => {
        const bytes = Buffer.from(whole)
        for (let at = 0; at < bytes.length; at += size) {
          socket.write(bytes.subarray(at, at + size))
          await new Promise(resolve => setImmediate(resolve))
        }
      })
      expect((await ask()).body).toBe('ab\r\n\r\n\u00e9c')
      expect((await ask()).body).toBe('ab\r\n\r\n\u00e9c')
      expect(connections()).toBe(1)
    }
  })

  test('passes over what comes before the answer', async () => {
    const { ask } = await server(socket =>
      socket.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
      ),
    )
    expect(await ask()).toMatchObject({ status: 200, body: 'ok' })
  })

  test('takes the end of the connection for that of a body without a length', async () => {
    const { ask, connections } = await server(socket => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'))
    expect((await ask()).body).toBe('all of it')
    expect((await ask()).body).toBe('all of it')
    expect(connections()).toBe(2)
  })

  test('keeps no connection that the answer closes', async () => {
    const { ask, connections } = await server(socket =>
      socket.write(`${OK}Connection: close\r\nContent-Length: 2\r\n\r\nok`),
    )
    await ask()
    await ask()
    expect(connections()).toBe(2)
  })

  test('gives location and status', async () => {
    const { ask } = await server(socket =>
      socket.write('HTTP/1.1 301 Moved\r\nLOCATION:  http://a:1/b?c \r\ncontent-length: 0\r\n\r\n'),
    )
    expect(await ask()).toEqual({ status: 301, location: 'http://a:1/b?c', body: '' })
  })

  test.each([
    ['a body that is cut', `${OK}content-length: 10\r\n\r\nshort`],
    ['chunks that are cut', `${OK}transfer-encoding: chunked\r\n\r\n5\r\nab`],
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['more than was announced', `${OK}content-length: 1\r\n\r\nab`],
    ['no answer', ''],
  ])('fails as sent for %s', async (_, answer) => {
    const { ask, lost } = await server(socket => socket.end(answer))
    await expect(ask()).rejects.toMatchObject({ name: 'NoAnswer', sent: true })
    await expect.poll(() => lost.length).toBe(1)
  })

  test('fails as not sent where nobody listens', async () => {
    const { ask } = await server(() => {})
    closers.splice(0).at(-1)!()
    await expect(ask()).rejects.toMatchObject({ name: 'NoAnswer', sent: false })
  })

  test('tells when a kept connection has been ended by the other side', async () => {
    const sockets: Socket[] = []
    const { ask, lost } = await server(socket => {
      sockets.push(socket)
      socket.write(`${OK}content-length: 2\r\n\r\nok`)
    })
    await ask()
    sockets[0]!.destroy()
    await expect.poll(() => lost.length).toBe(1)
    expect((await ask()).body).toBe('ok')
  })
})
