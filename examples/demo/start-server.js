import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileServer, toNodeHandler } from 'stowage/server'

/** A server on a free port of this machine. Its address is known before there is anything to serve. */
export async function startServer() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${server.address().port}/files`,
    serve: (files, options) => server.on('request', toNodeHandler(fileServer(files, options))),
    serveImages: handler => server.on('request', handler),
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    },
  }
}
