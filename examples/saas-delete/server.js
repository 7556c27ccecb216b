/**
 * A page to which files are attached, and the backend behind it.
 *
 *     node examples/saas-delete/server.js [folder]
 *     DATABASE_URL=postgres://app@localhost/app STOWAGE_URL='s3://bucket?region=eu-central-1' node examples/saas-delete/server.js
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileServer, toNodeHandler } from 'stowage/server'
import { openApp } from './open-app.js'
import { createRoutes } from './routes.js'

const { PORT = '3000', HOST = '127.0.0.1', PUBLIC_URL, STOWAGE_URL_SECRET } = process.env
const folder = process.argv[2] ?? join(import.meta.dirname, 'data')

let handle
const server = createServer((request, response) => {
  if (handle === undefined) response.writeHead(503, { 'retry-after': '1' }).end()
  else handle(request, response)
})

try {
  server.listen(Number(PORT), HOST)
  await once(server, 'listening')
  const origin = PUBLIC_URL || `http://${HOST}:${server.address().port}`
  // Without a secret of your own, URLs that were handed out end with the process.
  const secret = STOWAGE_URL_SECRET || randomBytes(32).toString('hex')
  await serve(origin, { baseUrl: `${origin}/files`, secret })
} catch (error) {
  console.error(`saas-delete: ${error.message}`)
  if (process.env.STOWAGE_DEBUG) console.error(error)
  process.exit(1)
}

async function serve(origin, signing) {
  const app = await openApp({ folder, signing, onEvent: logEvent })
  const { store, engine, files, attachments } = app
  // What a process that was killed has left is done before the first request, and from then on as it comes.
  const { worked, pending, stuck } = await files.recover()
  const worker = files.startWorker()
  const routes = createRoutes({ attachments, about: { store: store.name, database: engine.name } })
  // S3 and Supabase serve their own URLs; a folder needs a server.
  const isFolder = store.name === 'local'
  const serveFiles = isFolder ? toNodeHandler(fileServer(store, { signing })) : undefined
  handle = async (request, response) => {
    if (serveFiles !== undefined && request.url.startsWith('/files/')) return serveFiles(request, response)
    if (await routes(request, response)) return
    if (!response.headersSent) response.writeHead(404).end()
  }
  console.log(`recovered: ${worked} done, ${pending} pending, ${stuck} stuck`)
  console.log(`rows in ${engine.name}, files in ${isFolder ? `the folder ${folder}` : store.name}`)
  console.log(`ready: ${origin}`)

  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, stop)
  async function stop() {
    server.close()
    server.closeIdleConnections()
    await worker.stop()
    await files.close()
    process.exit(0)
  }
}

function logEvent({ severity, kind, job, error }) {
  if (severity !== 'info') console.error(`${severity}: ${kind}`, job?.key ?? '', error?.message ?? '')
}
