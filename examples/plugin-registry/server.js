/**
 * A registry of plugins: publish, download, version check.
 *
 *     node examples/plugin-registry/server.js [folder]
 *     DATABASE_URL=rqlite://127.0.0.1:4001 STOWAGE_URL='s3://plugins?region=eu-central-1' node examples/plugin-registry/server.js
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileServer, toNodeHandler } from 'stowage/server'
import { mayPublish } from './may-publish.js'
import { openApp } from './open-app.js'
import { createRoutes } from './routes.js'
import { readSettings } from './settings.js'

let handle
let isStopping = false
const server = createServer((request, response) => {
  // Else a client that keeps its connection busy would keep this process alive.
  if (isStopping) response.setHeader('connection', 'close')
  if (handle === undefined) response.writeHead(503, { 'retry-after': '1' }).end()
  else handle(request, response)
})

try {
  const settings = await readSettings(process.argv[2] ?? join(import.meta.dirname, 'data'))
  server.listen(settings.port, settings.host)
  await once(server, 'listening')
  await serve(settings, settings.publicUrl ?? `http://${settings.host}:${server.address().port}`)
} catch (error) {
  console.error(`plugin-registry: ${error.message}`)
  if (process.env.STOWAGE_DEBUG) console.error(error)
  process.exit(1)
}

async function serve(settings, origin) {
  const app = await openApp(settings, { origin, onEvent: logEvent })
  const { store, folders, engine, files } = app
  // What a process that was killed has left is done before the first request, and from then on as it comes.
  const { worked, pending, stuck } = await files.recover()
  const workers = app.startWorkers()
  const routes = createRoutes({
    app,
    mayPublish: request => mayPublish(request, settings.token),
    onError: logError,
  })
  // S3 and Supabase serve their own URLs; a folder needs a server.
  const served = folders.map(({ path, store: folder, signing }) => ({
    path,
    serve: toNodeHandler(fileServer(folder, { signing })),
  }))
  handle = (request, response) => {
    const { serve = routes } = served.find(({ path }) => request.url.startsWith(path)) ?? {}
    return serve(request, response)
  }
  console.log(`recovered: ${worked} done, ${pending} pending, ${stuck} stuck`)
  console.log(`versions in ${engine.name}, files in ${store.name}${settings.moveToUrl ? ', which move' : ''}`)
  console.log(`ready: ${origin}`)

  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, stop)
  async function stop() {
    isStopping = true
    server.close()
    server.closeIdleConnections()
    // Requests that are under way get their answers.
    await once(server, 'close')
    await workers.stop()
    await files.close()
    process.exit(0)
  }
}

function logEvent({ severity, kind, job, key, phase, error }) {
  if (severity === 'info' || kind === 'settled') return
  console.error([severity, kind, phase, job?.key ?? key, error?.message].filter(Boolean).join(' '))
}

function logError(error) {
  console.error(error.message)
  if (process.env.STOWAGE_DEBUG) console.error(error)
}
