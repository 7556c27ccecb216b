import { type AddressInfo, createServer } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { AnswerBody, send } from '../../../src/adapters/s3/transport.ts'
import { loopbackServer } from '../../support/loopback-server.ts'

/** undici hands out what its parser still holds from within `resume()`, before that returns. */
function pausedAnswer(held: Uint8Array[]) {
  const body = new AnswerBody(
    () => {},
    () => {},
    undefined,
  )
  const controller = {
    pause() {},
    abort() {},
    resume() {
      const rest = held.splice(0)
      if (rest.length === 0) return
      for (const chunk of rest)
        body.onResponseData(controller as unknown as Dispatcher.DispatchController, chunk)
      body.onResponseEnd()
    },
  }
  // Only these three are called; the rest is the state of undici's own parser.
  body.onRequestStart(controller as unknown as Dispatcher.DispatchController)
  return body
}

describe('the body of an answer', () => {
  it('goes on when the rest and the end come while it resumes', async () => {
    const read: number[] = []
    for await (const chunk of pausedAnswer([Uint8Array.of(1, 2), Uint8Array.of(3)]).chunks())
      read.push(...chunk)
    expect(read).toEqual([1, 2, 3])
  }, 2000)
})

describe('a server that closes its connection behind the answer', () => {
  it('ends no process, however slowly the answer is read', async () => {
    const body = Buffer.alloc(300_000, 'x')
    const server = createServer(socket => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`)
        socket.end(body)
      })
      socket.on('error', () => {})
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const agent = new Agent()
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (let round = 0; round < 30; round++) {
      const answer = await send(agent, { method: 'GET', origin, path: '/', headers: {} })
      // So much comes before anybody reads, and then the end of the connection.
      for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
      let read = 0
      for await (const chunk of answer.body.chunks()) read += chunk.length
      expect(read).toBe(body.length)
    }
    await agent.close()
    server.close()
  })
})

describe('HEAD', () => {
  it('leaves its connection open for the next request', async () => {
    const server = await loopbackServer()
    const ports = new Set<number | undefined>()
    server.use((request, response) => {
      ports.add(request.socket.remotePort)
      response.end()
    })
    const agent = new Agent({ connections: 1 })
    for (const method of ['HEAD', 'HEAD', 'GET']) {
      const { body } = await send(agent, { method, origin: server.origin, path: '/', headers: {} })
      await body.bytes()
    }
    expect(ports.size).toBe(1)
    await agent.close()
    await server.close()
  })
})
