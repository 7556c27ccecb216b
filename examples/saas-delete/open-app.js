import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { open, openEngine } from 'stowage/open'
import { upgradeTables, withRecords } from 'stowage/records'
import { Attachments, UPGRADES } from './attachments.js'

/**
 * Store, database and the application's own table, by two variables: `STOWAGE_URL` (default: a folder) and `DATABASE_URL`
 * (default: SQLite beside it).
 *
 * @param {object} options
 * @param {string} options.folder where the defaults lie
 * @param {object} [options.signing] lets a folder have signed URLs; S3 signs by itself
 * @param {(store: object) => object} [options.aroundStore] stands between records and store: `crash.js` stops there
 * @param {(engine: object) => object} [options.aroundEngine] stands between records and database
 */
export async function openApp({ folder, env = process.env, signing, aroundStore, aroundEngine, onEvent }) {
  const root = resolve(folder)
  await mkdir(root, { recursive: true })
  const storeUrl = env.STOWAGE_URL || pathToFileURL(join(root, 'files')).href
  const databaseUrl = env.DATABASE_URL || `sqlite:${join(root, 'app.db')}`
  const store = await open(storeUrl, { signing })
  const engine = await openEngine(databaseUrl)
  const files = withRecords(aroundStore?.(store) ?? store, aroundEngine?.(engine) ?? engine, { onEvent })
  try {
    await upgradeTables(engine, files.tenantId, 'app', UPGRADES)
  } catch (error) {
    await files.close()
    throw error
  }
  return { store, engine, files, attachments: new Attachments(files, engine) }
}
