import { setTimeout as wait } from 'node:timers/promises'
import { cacheSignedUrls, memoryCache, redisCache } from 'stowage/cache'
import { observe, retry } from 'stowage/decorators'
import { checkImageTtls, imageUrls, withImageMetadata } from 'stowage/images'
import { imgproxy, imgproxyFromEnv } from 'stowage/imgproxy'
import { open, openEngine } from 'stowage/open'
import { upgradeTables, withRecords } from 'stowage/records'
import { imageIdOf } from './image-keys.js'
import { Images, ORIGINAL_SECONDS } from './images.js'
import { UPGRADES } from './images-table.js'
import { Metrics } from './metrics.js'
import { derivedKey, Sealed } from './sealed.js'
import { MOST_BYTES, Uploads } from './uploads.js'

const CONNECT_MS = 2_000
/** Of image URLs of the development handler; those of a real imgproxy end by `IMGPROXY_TTL`. */
const IMAGE_SECONDS = 30 * 86_400
/** A page rather waits a moment than have new URLs, of which no cache has an image. */
const CACHE_MS = 1_000

/**
 * The application's parts, put together:
 *
 *     withImageMetadata        size and blurhash of what comes in
 *       withRecords            a file and its record, one breath with our row
 *         observe              counts and times, around the cache, which tells what it knew
 *           cacheSignedUrls    the same URL until it must change
 *             retry            a store that says 503 once fails no request
 *               the store      a folder, S3, Supabase
 *
 * @param {object} settings as `readSettings` returns them
 * @param {string} origin where users see this server
 */
export async function openApp(settings, { origin, onEvent }) {
  const { storeUrl, databaseUrl, redisUrl, secret, env } = settings
  const signing = { baseUrl: `${origin}/files`, secret: derivedKey(secret, 'files').toString('hex') }
  const store = await open(storeUrl, { signing, env })
  const engine = await openEngine(databaseUrl, { env })
  const metrics = new Metrics()
  const cache = redisUrl === undefined ? memoryCache() : await connectedCache(redisUrl)
  const tell = error => onEvent({ severity: 'warning', kind: 'cache-failed', error })
  const cached = observe(
    cacheSignedUrls(retry(store), { cache, cacheTimeoutMs: CACHE_MS, onError: tell }),
    event => metrics.countOperation(event),
  )
  const recorded = withRecords(cached, engine, { onEvent })
  const files = withImageMetadata(recorded, {
    onProblem: 'refuse',
    others: 'refuse',
    maxBytes: MOST_BYTES,
  })
  try {
    await upgradeTables(engine, files.tenantId, 'app', UPGRADES)
  } catch (error) {
    await files.close()
    throw error
  }
  const handler = imageHandler(settings, origin)
  const urls = imageUrls(files, handler.images, { source: handler.source, imageId: imageIdOf })
  return {
    store,
    engine,
    files,
    metrics,
    signing,
    handler,
    images: new Images({ files, engine, urls }),
    uploads: new Uploads(files, new Sealed(secret, 'uploads')),
    /** Lifetimes that do not fit each other, in words. */
    warnings: checkImageTtls({ ...urls.ttls, originalSeconds: ORIGINAL_SECONDS }).map(
      ({ message }) => message,
    ),
    parts: partsOf(settings, store, engine, handler),
    async close() {
      await files.close()
      await cache.close?.()
    },
  }
}

/** Connected before the first request, which would not wait for it. One that is not there yet is found later. */
async function connectedCache(url) {
  const cache = redisCache({ url })
  await Promise.race([cache.connect(), wait(CONNECT_MS)]).catch(() => {})
  return cache
}

/**
 * A real imgproxy where `IMGPROXY_URL` names one. Else the development handler, which reads from the store itself, with
 * keys of its own.
 */
function imageHandler({ imgproxyUrl, imgproxySource, secret, env }, origin) {
  if (imgproxyUrl !== undefined)
    return {
      images: imgproxyFromEnv(env, { allowSignedSource: true }),
      source: imgproxySource ?? 'signed-url',
    }
  const [key, salt] = ['imgproxy key', 'imgproxy salt'].map(name => derivedKey(secret, name).toString('hex'))
  const url = `${origin}/imgproxy`
  return {
    images: imgproxy({ url, key, salt, ttlSeconds: IMAGE_SECONDS }),
    source: 'local:///',
    development: { key, salt },
  }
}

const NAMES = { local: 'a folder', s3: 'S3', supabase: 'Supabase', sqlite: 'SQLite', postgres: 'PostgreSQL' }

/** What the page and the first lines of the server say of the parts. */
function partsOf({ redisUrl }, store, engine, handler) {
  const isDevelopment = handler.development !== undefined
  return [
    `files in ${NAMES[store.name] ?? store.name}`,
    `records in ${NAMES[engine.name] ?? engine.name}`,
    `URLs cached in ${redisUrl === undefined ? 'memory' : 'Redis'}`,
    `images by ${isDevelopment ? 'the handler for development, which is not for production' : 'imgproxy'}`,
  ]
}
