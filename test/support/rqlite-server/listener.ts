/** Where a node listens. */
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** An HTTP server whose connections can be cut as a kill cuts them. */
export class Listener {
  port = 0
  private server: ReturnType<typeof createHttpServer> | undefined
  private readonly sockets = new Set<Socket>()

  constructor(
    /** PEM, for HTTPS. */
    private readonly tls: { key: string; cert: string } | undefined,
    private readonly onRequest: RequestListener,
  ) {}

  async listen(port: number): Promise<void> {
    const server = this.tls ? createHttpsServer(this.tls, this.onRequest) : createHttpServer(this.onRequest)
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    this.port = (server.address() as AddressInfo).port
    this.server = server
  }

  reset(): void {
    this.server?.close()
    for (const socket of this.sockets) socket.resetAndDestroy()
  }
}
