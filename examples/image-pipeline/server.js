/**
 * Photos with placeholders: a page, the backend behind it, and everything that it needs.
 *
 *     node examples/image-pipeline/server.js [folder]
 *     STOWAGE_URL='s3://bucket?region=eu-central-1' REDIS_URL=redis://127.0.0.1 node examples/image-pipeline/server.js
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { devImages, fileServer, toNodeHandler } from 'stowage/server'
import { bundlePage } from './bundle-page.js'
import { openApp } from './open-app.js'
import { pagePolicy } from './page-policy.js'
import { createRoutes } from './routes.js'
import { Sessions } from './sessions.js'
import { readSettings } from './settings.js'

const DAY_MS = 86_400_000
const SWEEP_MS = 60 * 60_000

let handle
const server = createServer((request, response) => {
  if (handle === undefined) response.writeHead(503, { 'retry-after': '1' }).end()
  else handle(request, response)
})

try {
  const settings = await readSettings(process.argv[2] ?? join(import.meta.dirname, 'data'))
  server.listen(settings.port, settings.host)
  await once(server, 'listening')
  await serve(settings, settings.publicUrl ?? `http://${settings.host}:${server.address().port}`)
} catch (error) {
  console.error(`image-pipeline: ${error.message}`)
  if (process.env.STOWAGE_DEBUG) console.error(error)
  process.exit(1)
}

async function serve(settings, origin) {
  const [app, assets] = await Promise.all([openApp(settings, { origin, onEvent: logEvent }), bundlePage()])
  const { store, files, handler, signing } = app
  // What a process that was killed has left is done before the first request, and from then on as it comes.
  const { worked, pending, stuck } = await files.recover()
  const worker = files.startWorker()
  const sweep = () => app.images.sweepTemporary(DAY_MS).catch(logError)
  await sweep()
  const sweeping = setInterval(sweep, SWEEP_MS)
  const routes = createRoutes({
    app,
    assets,
    sessions: new Sessions(settings.secret, { isSecure: origin.startsWith('https:') }),
    policy: pagePolicy(await storeOrigins(store), [new URL(handler.images.url('local:///a', {})).origin]),
    onError: logError,
  })
  // S3 and Supabase serve their own URLs; a folder needs a server.
  const serveFiles = store.name === 'local' ? toNodeHandler(fileServer(store, { signing })) : routes
  const serveImages =
    handler.development === undefined
      ? routes
      : toNodeHandler(
          devImages({ ...handler.development, local: store, basePath: '/imgproxy', log: console.error }),
        )
  handle = (request, response) => {
    if (request.url.startsWith('/files/')) return serveFiles(request, response)
    if (request.url.startsWith('/imgproxy/')) return serveImages(request, response)
    return routes(request, response)
  }
  console.log(`recovered: ${worked} done, ${pending} pending, ${stuck} stuck`)
  console.log(app.parts.join(', '))
  for (const words of app.warnings) console.log(`lifetimes: ${words}`)
  console.log(`ready: ${origin}`)

  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, stop)
  async function stop() {
    clearInterval(sweeping)
    server.close()
    server.closeIdleConnections()
    await worker.stop()
    await app.close()
    process.exit(0)
  }
}

/** Where the browser sends uploads to and has originals from, beside this server. */
async function storeOrigins(store) {
  if (store.name === 'local') return []
  // Supabase signs only what is there, and its public addresses are known without a request.
  const { checksExistence } = store.capabilities.signedUrl
  const url = checksExistence ? store.publicUrl('a') : (await store.signedUrl('a', { expiresIn: 60 })).url
  return [new URL(url).origin]
}

function logEvent({ severity, kind, job, error }) {
  if (severity !== 'info') console.error(`${severity}: ${kind}`, job?.key ?? '', error?.message ?? '')
}

function logError(error) {
  console.error(error.message)
  if (process.env.STOWAGE_DEBUG) console.error(error)
}
