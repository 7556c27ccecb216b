import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

type Listener = (...both: Parameters<RequestListener>) => unknown

export interface LoopbackServer {
  /** `http://127.0.0.1:12345` */
  readonly origin: string
  readonly port: number
  /** Requests from now on go to `listener`: what it serves can know the address. It may end with a client that gives up. */
  use(listener: Listener): void
  /** Ends every connection and the server. */
  close(): Promise<void>
}

/** A node:http server on a free loopback port. */
export async function loopbackServer(): Promise<LoopbackServer> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    use(listener) {
      server.removeAllListeners('request').on('request', (request, response) => {
        Promise.resolve(listener(request, response)).catch(error => {
          response.destroy()
          if (request.complete) throw error
        })
      })
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
