/** Asks the stand-in for rqlite as any program would, by `fetch`. */
import { afterEach } from 'vitest'
import {
  type RqliteServer,
  type RqliteServerNode,
  type RqliteServerOptions,
  startRqliteServer,
} from './rqlite-server/start-rqlite-server.ts'

export const JSON_BODY = { 'content-type': 'application/json' }

interface Answer {
  status: number
  location: string | null
  servedBy: string | null
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs by route
  results: any
  error: string | undefined
}

export async function ask(
  node: RqliteServerNode,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(node.url + path, {
    redirect: 'manual',
    headers: { ...JSON_BODY, ...headers },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = text.startsWith('{') ? JSON.parse(text) : {}
  return {
    status: response.status,
    location: response.headers.get('location'),
    servedBy: response.headers.get('x-rqlite-served-by'),
    text,
    results: json.results,
    error: json.error,
  }
}

type Three = [RqliteServerNode, RqliteServerNode, RqliteServerNode]

/** Declares that clusters end with the test that started them. */
export function standIn() {
  const servers: RqliteServer[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(server => server.stop()))
  })
  const start = async (options: RqliteServerOptions): Promise<RqliteServer> => {
    const server = await startRqliteServer(options)
    servers.push(server)
    return server
  }
  return {
    start,
    /** The first one leads; there is a table `t`, known everywhere. */
    async started(options: RqliteServerOptions = {}) {
      const server = await start(options)
      const nodes = server.nodes as unknown as Three
      await ask(nodes[0], '/db/execute', ['CREATE TABLE t(id INTEGER PRIMARY KEY, s)'])
      server.settle()
      return { server, faults: server.faults, nodes }
    },
  }
}
