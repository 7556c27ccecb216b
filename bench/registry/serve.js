/** The server of examples/plugin-registry, which also hands bytes out itself: `GET /proxied/:name/:version`. */
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { openApp } from '../../examples/plugin-registry/open-app.js'
import { createRoutes } from '../../examples/plugin-registry/routes.js'
import { readSettings } from '../../examples/plugin-registry/settings.js'

const settings = await readSettings(process.argv[2])
const server = createServer((request, response) => handle(request, response))
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const app = await openApp(settings, { origin, onEvent() {} })
const routes = createRoutes({ app, mayPublish: () => true })

async function handle(request, response) {
  const [, name, version] = /^\/proxied\/([\w-]+)\/([\w.-]+)$/.exec(request.url) ?? []
  if (name === undefined) return routes(request, response)
  const download = await app.files.download(`plugins/${name}/${version}.tgz`)
  response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': download.info.size })
  await pipeline(download, response).catch(() => {})
}

process.once('disconnect', () => process.exit())
process.send({ origin })
