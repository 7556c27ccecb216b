import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A loopback port before a server: shut, the server is gone for everybody who comes through it. */
export interface Gate {
  readonly port: number
  /** Breaks all connections and takes no new ones, as a killed process does. */
  shut(): Promise<void>
  /** On the same port. */
  reopen(): Promise<void>
}

export async function gate(targetPort: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  let server = await listening(0)
  const { port } = server.address() as AddressInfo

  function listening(at: number): Promise<Server> {
    const opened = createServer(client => {
      const both = [client, connect(targetPort, '127.0.0.1')] as const
      for (const socket of both) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          sockets.delete(socket)
          for (const other of both) other.destroy()
        })
      }
      both[0].pipe(both[1]).pipe(both[0])
    })
    return new Promise((resolve, reject) => {
      opened.once('error', reject)
      opened.listen(at, '127.0.0.1', () => resolve(opened))
    })
  }

  return {
    port,
    shut: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
    async reopen() {
      for (let attempt = 1; ; attempt++)
        try {
          server = await listening(port)
          return
        } catch (error) {
          if (attempt === 5) throw error
          await wait(1_000)
        }
    },
  }
}
