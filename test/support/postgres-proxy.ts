import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * Where the connection breaks: before the words reach the server, in order or, `reset`, as where a machine has died; or
 * once its answer has them too, which gets lost.
 */
export type Break = 'before' | 'reset' | 'after'

export interface PostgresProxy {
  /** The URL of the database, through the proxy. */
  readonly url: string
  /** From now on, the next `times` connections that send `words`, a character for each byte, break there. */
  breakAt(words: string, when: Break, times?: number): void
  /** How often the direction of what passes has changed from the server's answers to the client's next words. */
  exchanges(): number
  close(): Promise<void>
}

/** A loopback port before a PostgreSQL that loses connections when it is told to. */
export async function postgresProxy(url: string): Promise<PostgresProxy> {
  const { port: targetPort } = new URL(url)
  const sockets = new Set<Socket>()
  let exchanges = 0
  let armed: { words: string; when: Break; left: number } | undefined
  const server = createServer(client => {
    const target = connect(Number(targetPort), '127.0.0.1')
    const both = [client, target]
    let holdsBack: string | undefined
    let answers = ''
    let answered = true
    for (const socket of both) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        for (const other of both) other.destroy()
      })
    }
    client.on('data', chunk => {
      if (armed !== undefined && armed.left > 0 && chunk.includes(armed.words, 0, 'latin1')) {
        armed.left--
        if (armed.when === 'before') return client.destroy()
        if (armed.when === 'reset') return client.resetAndDestroy()
        holdsBack = armed.words
      }
      if (answered) exchanges++
      answered = false
      target.write(chunk)
    })
    target.on('data', (chunk: Buffer) => {
      answered = true
      if (holdsBack === undefined) return client.write(chunk)
      answers += chunk.toString('latin1')
      if (answers.includes(holdsBack)) client.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    breakAt(words, when, times = 1) {
      armed = { words, when, left: times }
    },
    exchanges: () => exchanges,
    close: () =>
      new Promise(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
