import { cacheSignedUrls, memoryCache } from 'stowage/cache'
import { retry } from 'stowage/decorators'
import { cutOver } from 'stowage/migrate'
import { open } from 'stowage/open'

/** A store that fails one request in twenty fails one operation in three million. */
const ATTEMPTS = 5
/** A URL is handed out while it has so many seconds left: time to follow the redirect, and for a slow download. */
const MARGIN_SECONDS = 15 * 60
/** How soon a process notices that the move has come to its next phase. */
const BEAT_MS = 2_000

/**
 * The store by its URL; and where `MOVE_TO_URL` is set, two stores as one, between which the files move. Each has a cache
 * of its own: what it signed for one store is never handed out for the other.
 *
 * @returns the provider; `folders` that need a server for their URLs; `startWorker` of the move, where there is one
 */
export async function openStore(settings, { engine, origin, onEvent, aroundStore }) {
  const { storeUrl, moveToUrl, secret, env } = settings
  const folders = []
  const opened = async (url, path) => {
    const signing = { baseUrl: origin + path, secret }
    const store = await open(url, { signing, env })
    if (store.name === 'local') folders.push({ path: `${path}/`, store, signing })
    const steady = { cache: memoryCache(), marginSeconds: MARGIN_SECONDS }
    return cacheSignedUrls(retry(aroundStore(store), { attempts: ATTEMPTS }), steady)
  }
  const from = await opened(storeUrl, '/files')
  if (moveToUrl === undefined) return { store: from, folders }
  const to = await opened(moveToUrl, '/moved')
  const store = cutOver({ from, to, engine, name: 'plugins', beatMs: BEAT_MS, onEvent })
  return { store, folders, startWorker: () => store.startWorker() }
}
