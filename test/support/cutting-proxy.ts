import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  close(): Promise<void>
}

/**
 * A loopback port that passes bytes on to `targetPort` and breaks each connection once `afterBytes` have come back:
 * in the middle of a body.
 */
export async function cuttingProxy(targetPort: number, afterBytes: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const target = connect(targetPort, '127.0.0.1')
    const both = [client, target]
    for (const socket of both) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        for (const other of both) other.destroy()
      })
    }
    let passed = 0
    client.pipe(target)
    target.on('data', (chunk: Buffer) => {
      if (passed + chunk.length < afterBytes) client.write(chunk)
      else client.end(chunk.subarray(0, afterBytes - passed), () => client.destroy())
      passed += chunk.length
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
