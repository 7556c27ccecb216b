import { cacheSignedUrls, memoryCache } from 'stowage/cache'
import { observe, retry } from 'stowage/decorators'
import { open, openEngine } from 'stowage/open'
import { tenantTable, upgradeTables, withRecords } from 'stowage/records'
import { Metrics } from './metrics.js'
import { Registry } from './registry.js'
import { Tickets } from './tickets.js'
import { UPGRADES, VersionsTable } from './versions-table.js'

/** A store that fails one request in twenty fails one operation in three million. */
const ATTEMPTS = 5
/** A URL is handed out while it has so many seconds left: time to follow the redirect, and for a slow download. */
const MARGIN_SECONDS = 15 * 60

/**
 * The registry's parts, put together:
 *
 *     withRecords            a file and its record, one breath with our row
 *       observe              counts and times, around the cache, which tells what it knew
 *         cacheSignedUrls    a plugin that many download is signed once
 *           retry            a store that says 503 once fails no request
 *             the store      a folder, S3, Supabase
 *
 * @param {object} settings as `readSettings` returns them
 * @param {object} parts
 * @param {string} parts.origin where clients see this server
 * @param {(event: any) => void} parts.onEvent told what records do by themselves
 * @param {(store: any) => any} [parts.aroundStore] stands between records and store: tests stop a process there
 * @param {(engine: any) => any} [parts.aroundEngine] stands before the database
 */
export async function openApp(settings, { origin, onEvent, aroundStore = same, aroundEngine = same }) {
  const { storeUrl, databaseUrl, secret, env } = settings
  const signing = { baseUrl: `${origin}/files`, secret }
  const metrics = new Metrics()
  const store = await open(storeUrl, { signing, env })
  const engine = aroundEngine(await openEngine(databaseUrl, { env }))
  const steady = cacheSignedUrls(retry(aroundStore(store), { attempts: ATTEMPTS }), {
    cache: memoryCache(),
    marginSeconds: MARGIN_SECONDS,
  })
  const files = withRecords(
    observe(steady, event => metrics.countOperation(event)),
    engine,
    { onEvent },
  )
  try {
    await upgradeTables(engine, files.tenantId, 'app', UPGRADES)
  } catch (error) {
    await files.close()
    throw error
  }
  const versions = new VersionsTable(engine, tenantTable(files.tenantId, 'plugin_versions'))
  const registry = new Registry({ files, versions, tickets: new Tickets(secret) })
  return { store, engine, files, metrics, signing, registry }
}

function same(part) {
  return part
}
