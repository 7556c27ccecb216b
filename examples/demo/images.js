import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { cacheSignedUrls, memoryCache } from 'stowage/cache'
import { imageUrls, withImageMetadata } from 'stowage/images'
import { imgproxy } from 'stowage/imgproxy'
import { local } from 'stowage/local'
import { withRecords } from 'stowage/records'
import { devImages, toNodeHandler } from 'stowage/server'
import { sqlite } from 'stowage/sqlite'
import { heading, line, table } from './show.js'
import { startServer } from './start-server.js'

const MOST_PHOTOS = 20
const PHOTO = /\.(?:jpe?g|png|webp|gif|avif)$/i
// Made up for this demo, as the secret of its URLs is.
const KEYS = { key: '64656d6f206b6579', salt: '64656d6f2073616c74' }
const SIGNING_SECRET = 'made-up-for-this-demo-only'

/** The photos as a page shows them: size and blurhash from the upload, and URLs that stay the same. */
export async function showImages(workspace, paths, { signal }) {
  const photos = paths.filter(({ key }) => PHOTO.test(key)).slice(0, MOST_PHOTOS)
  heading('The photos, as a page shows them')
  if (photos.length === 0) line('there are none in this folder')
  else await showUrls(workspace, photos, signal)
  line('As a page, with uploads, placeholders and a canvas:')
  line('    npm run example:images')
}

async function showUrls(workspace, photos, signal) {
  const server = await startServer()
  const signing = { baseUrl: server.baseUrl, secret: SIGNING_SECRET }
  const store = local({ root: join(workspace, 'photos'), signing })
  const cached = cacheSignedUrls(store, { cache: memoryCache() })
  const files = withRecords(cached, sqlite({ path: join(workspace, 'photos.db') }))
  try {
    await storeAll(files, photos, signal)
    const images = imgproxy({ url: server.baseUrl.replace('/files', '/imgproxy'), ...KEYS })
    const urls = imageUrls(files, images, { source: 'local:///' })
    const keys = photos.map(({ key }) => key)
    const sets = await setsOf(urls, keys)
    table(
      ['', sets[0].imageId],
      Object.entries(sets[0])
        .filter(([name]) => name !== 'imageId')
        .map(([name, value]) => [name, shown(value)]),
    )
    const again = await setsOf(urls, keys)
    if (JSON.stringify(again) !== JSON.stringify(sets)) throw new Error('the URLs have changed')
    line(`asked again: ${count(sets.length)}, the same URLs byte for byte, from the cache`)
    server.serveImages(toNodeHandler(devImages({ ...KEYS, local: store, basePath: '/imgproxy' })))
    // What sharp could not read has no size, and no thumbnail.
    const readable = sets.find(({ width }) => width !== null)
    if (readable !== undefined) await fetchThumb(readable, signal)
  } finally {
    await server.close()
    await files.close()
  }
}

/** Without sharp they are stored as they are. */
async function storeAll(files, photos, signal) {
  let described = withImageMetadata(files)
  for (const { key, path } of photos)
    try {
      await described.upload(key, createReadStream(path), { signal })
    } catch (error) {
      if (error.code !== 'unsupported') throw error
      line('sharp is not installed, so width, height and blurhash are unknown: npm install sharp')
      described = files
      await files.upload(key, createReadStream(path), { signal })
    }
}

async function setsOf(urls, keys) {
  const results = await urls.many(keys)
  return results.map(result => {
    if (!result.ok) throw result.error
    return result.value
  })
}

async function fetchThumb({ thumbUrl }, signal) {
  const response = await fetch(thumbUrl, { signal })
  if (response.status !== 200) throw new Error(`the thumbnail was refused: ${response.status}`)
  const { length } = new Uint8Array(await response.arrayBuffer())
  const forged = await fetch(thumbUrl.replace('rs:fit:400', 'rs:fit:4000'), { signal })
  if (forged.status !== 403) throw new Error('an image that nobody signed was made')
  line(
    `thumbUrl is ${response.headers.get('content-type')}, ${length} bytes; 4,000 wide instead is refused with 403`,
  )
}

function shown(value) {
  if (value === null) return 'null'
  return value === '' ? "''" : `${value}`
}

function count(photos) {
  return photos === 1 ? '1 photo' : `${photos} photos`
}
