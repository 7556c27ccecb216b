/** What stands between the parts of the registry: a network that fails, and a balancer before two servers. */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

export interface FaultyProxy {
  readonly origin: string
  /** Requests so far, and those of them that failed here. */
  readonly counts: { requests: number; faults: number }
  /** Every request fails from now on, or no longer. */
  isDown: boolean
  close(): Promise<void>
}

/**
 * Passes requests on to `target`, all but a share of them: a quarter of these each is cut before the store hears of it,
 * answered with 503, cut when the store has done it and before its answer, or cut in the middle of the answer.
 *
 * `host` stays as the client sent it: URLs are signed for this proxy.
 */
export async function faultyProxy(target: string, share: number, random: () => number): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target)
  const agent = new Agent({ keepAlive: true })
  const counts = { requests: 0, faults: 0 }
  const server = createServer((incoming, response) => {
    counts.requests++
    if (proxy.isDown) return void incoming.socket.destroy()
    const fails = random() < share
    const fault = fails ? FAULTS[Math.floor(random() * FAULTS.length)]! : 'none'
    if (fails) counts.faults++
    if (fault === 'cut') return void incoming.socket.destroy()
    if (fault === 'unavailable') return refuse(incoming, response)
    pass(incoming, response, fault)
  })

  function pass(incoming: IncomingMessage, response: ServerResponse, fault: string): void {
    const { method, url: path, rawHeaders: headers } = incoming
    const cut = () => void incoming.socket.destroy()
    const outgoing = request({ agent, hostname, port, method, path, headers }, answer => {
      if (fault === 'cut-after') return void answer.resume().on('end', cut)
      response.writeHead(answer.statusCode!, answer.rawHeaders)
      if (fault !== 'cut-within') return void pipeline(answer, response, () => {})
      const whole =
        answer.headers['content-length'] === undefined ? 2 : Number(answer.headers['content-length'])
      answer.once('data', (chunk: Buffer) => response.write(chunk.subarray(0, Math.ceil(whole / 2) - 1), cut))
      answer.once('end', cut).resume()
    })
    outgoing.on('error', cut)
    pipeline(incoming, outgoing, () => {})
  }

  await listening(server)
  const proxy: FaultyProxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    isDown: false,
    close: () =>
      new Promise(resolve => {
        agent.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return proxy
}

const FAULTS = ['cut', 'unavailable', 'cut-after', 'cut-within'] as const

function refuse(incoming: IncomingMessage, response: ServerResponse): void {
  incoming.resume().on('end', () => response.writeHead(503, { 'content-length': '0' }).end())
}

export interface Balancer {
  readonly url: string
  /** Ports that connections go to, in turn. */
  use(ports: readonly number[]): void
  close(): Promise<void>
}

/** One address for several servers. A connection that one of them refuses goes to the next. */
export async function balancer(): Promise<Balancer> {
  let ports: readonly number[] = []
  let turn = 0
  const sockets = new Set<Socket>()
  const server = createNetServer(client => {
    sockets.add(client)
    client.on('error', () => {}).on('close', () => sockets.delete(client))
    open(client, ports.length)
  })

  function open(client: Socket, tries: number): void {
    if (tries === 0 || client.destroyed) return void client.destroy()
    const target = connect(ports[turn++ % ports.length]!, '127.0.0.1')
    const refused = () => open(client, tries - 1)
    target.once('error', refused)
    target.once('connect', () => {
      target.off('error', refused)
      sockets.add(target)
      target.on('close', () => sockets.delete(target))
      pipeline(client, target, client, () => {
        client.destroy()
        target.destroy()
      })
    })
  }

  await listening(server)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    use(given) {
      ports = given
    },
    close: () =>
      new Promise(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function listening(server: ReturnType<typeof createNetServer>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
}
