/**
 * The server of plugin-registry that stops at one call to store or database, to be killed there: the nth that `PUT
 * /plugins/…` makes, counted from 1; behind the last one, before its answer.
 */
import { createServer } from 'node:http'
import { fileServer, toNodeHandler } from 'stowage/server'
import { openApp } from '../../examples/plugin-registry/open-app.js'
import { createRoutes } from '../../examples/plugin-registry/routes.js'
import { readSettings } from '../../examples/plugin-registry/settings.js'

const [folder, stopAt] = process.argv.slice(2)
let counted = Number.POSITIVE_INFINITY

async function stopHere(where) {
  process.send({ stoppedAt: where })
  await new Promise(resolve => setTimeout(resolve, 2 ** 30))
}

/** Every method that does something waits here first, while a publication is counted. */
const counting = (part, name) =>
  new Proxy(part, {
    get(target, method) {
      const value = target[method]
      if (typeof value !== 'function') return value
      return (...args) => {
        if (!CALLS.has(method) || ++counted !== Number(stopAt)) return value.apply(target, args)
        return stopHere(`${name}.${method}`)
      }
    },
  })
const CALLS = new Set([
  'batch',
  'query',
  'outcome',
  'upload',
  'info',
  'copy',
  'download',
  'deleteMany',
  'clock',
])

process.once('disconnect', () => process.exit(1))
const server = createServer((request, response) => handle(request, response))
server.listen(0, '127.0.0.1')
await new Promise(resolve => server.once('listening', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const settings = await readSettings(folder)
const app = await openApp(settings, {
  origin,
  onEvent() {},
  aroundStore: store => counting(store, 'store'),
  aroundEngine: engine => counting(engine, 'engine'),
})
await app.files.recover()
const routes = createRoutes({ app, mayPublish: () => true })
const [{ store, signing }] = app.folders
const serveFiles = toNodeHandler(fileServer(store, { signing }))

async function handle(request, response) {
  if (request.url.startsWith('/files/')) return serveFiles(request, response)
  const isCounted = stopAt !== undefined && request.method === 'PUT'
  if (!isCounted) return routes(request, response)
  counted = 0
  const end = response.end.bind(response)
  response.end = body => {
    counted = Number.POSITIVE_INFINITY
    void stopHere('answer').then(() => end(body))
  }
  await routes(request, response)
}

process.send({ origin })
