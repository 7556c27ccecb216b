/** Stands before an S3 server and counts what is asked of it. For counts only: it is no part of what is timed. */
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingProxy {
  readonly url: string
  /** Requests by kind: `HEAD`, `GET`, `DeleteObjects`. */
  readonly counts: Map<string, number>
  stop(): Promise<void>
}

export async function countingProxy(target: string): Promise<CountingProxy> {
  const counts = new Map<string, number>()
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, outgoing) => {
    const kind = kindOf(incoming)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    // The signature covers the host that the client has named.
    const { method, headers } = incoming
    const sent = request(new URL(incoming.url!, target), { method, headers, agent }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    sent.once('error', () => outgoing.destroy())
    incoming.pipe(sent)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    async stop() {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function kindOf({ method = '', url = '' }: IncomingMessage): string {
  return method === 'POST' && new URLSearchParams(url.split('?')[1]).has('delete') ? 'DeleteObjects' : method
}
