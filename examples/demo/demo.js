/**
 * A folder of real files through local storage, signed URLs, a move to a second store that is killed half-way and goes on,
 * and out again; then with records: found, deleted by a process that is killed, and swept; then its photos, with the URLs
 * that a page shows them by.
 *
 *     npm run demo [-- some/folder]
 *     STOWAGE_DEMO_TARGET='s3://bucket?endpoint=http://127.0.0.1:9000' npm run demo
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { prefix } from 'stowage/decorators'
import { local } from 'stowage/local'
import { open } from 'stowage/open'
import { showImages } from './images.js'
import { showMove } from './move.js'
import { showRecords } from './records.js'
import { heading, line, size, table } from './show.js'
import { startServer } from './start-server.js'

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../files'))
const targetUrl = process.env.STOWAGE_DEMO_TARGET
// A reader that goes away, such as head, has seen enough; what is stored is still removed.
process.stdout.on('error', () => {})
// The SDK's words on Node versions are for who chooses one.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
const signal = AbortSignal.any([interrupted(), AbortSignal.timeout(30 * 60_000)])

const workspace = await mkdtemp(join(tmpdir(), 'stowage-demo-'))
const clock = { ahead: 0 }
const server = await startServer()
const opened = []
try {
  await run()
} catch (error) {
  console.error(`\ndemo: ${signal.aborted ? 'interrupted' : error.message}`)
  if (process.env.STOWAGE_DEBUG) console.error(error)
  process.exitCode = signal.aborted ? 130 : 1
} finally {
  await server.close()
  for (const provider of opened) await provider.close()
  await rm(workspace, { recursive: true, force: true })
}

async function run() {
  const isFolder = (await stat(folder).catch(() => undefined))?.isDirectory()
  if (!isFolder) throw new Error(`there is no folder ${folder}`)
  const now = () => Date.now() + clock.ahead
  const signing = { baseUrl: server.baseUrl, secret: 'made-up-for-this-demo-only' }
  const files = local({ root: join(workspace, 'data'), signing, now })
  opened.push(files)
  server.serve(files, { signing, now })

  heading(`1. Store ${folder}`)
  const paths = await pathsIn(folder)
  const infos = await storeAll(files, paths)
  table(
    ['key', 'size', 'type', 'sha256'],
    infos.map(info => [info.key, size(info.size), info.contentType, info.checksum.value.slice(0, 12)]),
  )

  heading('2. Sign URLs and fetch them over HTTP')
  await fetchAll(files, infos)
  await tryWhatIsRefused(files, infos[0].key)

  if (targetUrl?.startsWith('memory:'))
    throw new Error('memory is gone with the process that is killed here: name a folder or a bucket')
  const url = targetUrl || `file:${encodeURI(join(workspace, 'moved'))}`
  const where = targetUrl ? targetUrl.replace(/\?.*/, '') : 'another folder'
  heading(`3. Move everything to a second store: ${where}`)
  const root = `stowage-demo-${process.pid}-${Date.now()}`
  const target = prefix(await open(url), root)
  opened.push(target)
  const places = { root: join(workspace, 'data'), url, prefix: root, database: join(workspace, 'move.db') }
  try {
    await showMove(target, places, { where, signal })
  } catch (error) {
    await target.deleteMany(infos)
    throw error
  }

  heading('4. Delete, and look whether anything is left')
  await deleteAll(target, infos, where)
  await deleteAll(files, infos, 'local storage')
  await proveNothingIsLeft(files, infos[0].key)

  await showRecords(workspace, paths, { signal })

  if (!targetUrl) sayMore()
  await showImages(workspace, paths, { signal })
}

function sayMore() {
  heading('The same on S3')
  line('With AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set, one line changes where the files are moved to:')
  line("    STOWAGE_DEMO_TARGET='s3://your-bucket?region=eu-central-1' npm run demo")
  line("    STOWAGE_DEMO_TARGET='s3://your-bucket?endpoint=http://127.0.0.1:9000' npm run demo")
  line('and in code:')
  line("    const files = await open('file:./data')                              // a folder")
  line("    const files = await open('s3://your-bucket?region=eu-central-1')     // S3")
  line("    const files = await open('file:./data', { records: 'sqlite:./records.db' })  // with records")
}

async function pathsIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
  if (paths.length === 0) throw new Error(`there are no files in ${folder}`)
  return paths.sort().map(path => ({ path, key: path.slice(folder.length + 1).replaceAll(sep, '/') }))
}

async function storeAll(files, paths) {
  const infos = []
  for (const { key, path } of paths) {
    const options = { size: (await stat(path)).size, checksum: 'sha256', signal }
    infos.push(await files.upload(key, createReadStream(path), options))
  }
  return infos
}

async function fetchAll(files, infos) {
  const results = await files.signedUrls(infos, { expiresIn: 600 })
  for (const [i, result] of results.entries()) {
    const response = await fetch(result.value.url, { signal })
    if (response.status !== 200 || (await sha256(response.body ?? [])) !== infos[i].checksum.value)
      throw new Error(`${result.key} came back different: ${response.status}`)
  }
  line(`${infos.length} of ${infos.length} came back byte for byte, for example`)
  line(`    ${results[0].value.url}`)
  const page = results.find(result => result.key.endsWith('.html'))
  if (page !== undefined) {
    const { headers } = await fetch(page.value.url, { method: 'HEAD' })
    line(`an uploaded page can't act as this site: ${headers.get('content-disposition')}`)
  }
}

async function tryWhatIsRefused(files, key) {
  const { url } = await files.signedUrl(key, { expiresIn: 600 })
  const { signature } = Object.fromEntries(new URL(url).searchParams)
  const forged = url.replace(
    signature,
    signature.replace(/^./, first => (first === 'A' ? 'B' : 'A')),
  )
  await expectRefusal('a signature with one letter changed', forged, 403, 'bad-signature')
  await expectRefusal(
    'an expiry moved into the future',
    url.replace(/expires=\d+/, 'expires=9999999999'),
    403,
    'bad-signature',
  )
  clock.ahead = 601_000
  await expectRefusal('the good URL, eleven minutes later by the clock', url, 403, 'expired')
  clock.ahead = 0
  const upload = await files.signedUpload('too-big.bin', { expiresIn: 600, maxSize: 1000 })
  const big = { method: upload.method, headers: upload.headers, body: new Uint8Array(1001) }
  await expectRefusal('an upload of 1,001 bytes where 1,000 are allowed', upload.url, 413, 'too-large', big)
}

async function expectRefusal(what, url, status, code, request) {
  const response = await fetch(url, { ...request, signal })
  const { error } = await response.json()
  if (response.status !== status || error.code !== code) throw new Error(`${what} was not refused`)
  line(`refused with ${status} ${code}: ${what}`)
}

async function deleteAll(provider, infos, where) {
  const results = await provider.deleteMany(infos)
  const failed = results.find(result => result.status === 'error')
  if (failed !== undefined) throw failed.error
  for await (const left of provider.list()) throw new Error(`${left.key} is still in ${where}`)
  line(`${where}: ${results.length} deleted, the list is empty`)
}

async function proveNothingIsLeft(files, key) {
  const { url } = await files.signedUrl(key, { expiresIn: 600 })
  await expectRefusal('a fresh URL of a deleted file', url, 404, 'not-found')
  await files.close()
  const entries = await readdir(join(workspace, 'data'), { recursive: true, withFileTypes: true })
  const left = entries.filter(entry => entry.isFile())
  if (left.length > 0) throw new Error(`${left[0].name} is still on the disk`)
  line('on the disk: no file is left')
}

async function sha256(chunks) {
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

function interrupted() {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  return controller.signal
}
