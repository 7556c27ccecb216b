import { observe } from 'stowage/decorators'
import { openEngine } from 'stowage/open'
import { tenantTable, upgradeTables, withRecords } from 'stowage/records'
import { Metrics } from './metrics.js'
import { openStore } from './open-store.js'
import { Registry } from './registry.js'
import { Tickets } from './tickets.js'
import { UPGRADES, VersionsTable } from './versions-table.js'

/**
 * The registry's parts, put together:
 *
 *     withRecords              a file and its record, one breath with our row
 *       observe                counts and times, around the cache, which tells what it knew
 *         cutOver              during a move only: two stores as one
 *           cacheSignedUrls    a plugin that many download is signed once
 *             retry            a store that says 503 once fails no request
 *               the store      a folder, S3, Supabase
 *
 * @param {object} settings as `readSettings` returns them
 * @param {object} parts
 * @param {string} parts.origin where clients see this server
 * @param {(event: any) => void} parts.onEvent told what records, and a move, do by themselves
 * @param {(store: any) => any} [parts.aroundStore] stands before the store: tests stop a process there
 * @param {(engine: any) => any} [parts.aroundEngine] stands before the database
 */
export async function openApp(settings, { origin, onEvent, aroundStore = same, aroundEngine = same }) {
  const metrics = new Metrics()
  const engine = aroundEngine(await openEngine(settings.databaseUrl, { env: settings.env }))
  const { store, folders, startWorker } = await openStore(settings, { engine, origin, onEvent, aroundStore })
  const files = withRecords(
    observe(store, event => metrics.countOperation(event)),
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
  return {
    store,
    folders,
    engine,
    files,
    metrics,
    registry: new Registry({ files, versions, tickets: new Tickets(settings.secret) }),
    /** What goes on by itself: deletions that are owed, and what one of two stores is owed. */
    startWorkers() {
      const workers = [files.startWorker(), startWorker?.()]
      return { stop: () => Promise.all(workers.map(worker => worker?.stop())) }
    },
  }
}

function same(part) {
  return part
}
