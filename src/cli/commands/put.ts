import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { Command } from 'commander'
import type { UploadBody } from '../../core/body.ts'
import type { UploadOptions } from '../../core/options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { isStoreUrl, parseStoreUrl } from '../../open/store-url.ts'
import { folderPrefix, metadataPair } from '../argument-values.ts'
import { eachBounded } from '../each-bounded.ts'
import { UsageError } from '../exit-codes.ts'
import { humanSize, plural, printable } from '../human-format.ts'
import { filesBelow } from '../local-files.ts'
import { inSession, type Session, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface PutOptions {
  recursive?: true
  dryRun?: true
  overwrite: boolean
  type?: string
  cacheControl?: string
  meta?: Record<string, string>
  storageClass?: string
}

/** A file on its way. */
interface Item {
  readonly path: string
  readonly key: string
  readonly size: number | undefined
  readonly body: () => UploadBody
}

export function putCommand(terminal: Terminal): Command {
  const command = new Command('put')
    .summary('store files')
    .description('Store files, a folder, or what comes on stdin. Each is stored whole or not at all.')
    .usage('[options] <path...> <store> [key]')
    .argument('<arguments...>', 'files, folders or - for stdin; the URL of the store; the key')
    .option('-r, --recursive', 'store folders: what is in them goes under the key')
    .option('-n, --dry-run', 'only say what would be stored')
    .option('--no-overwrite', 'fail where something is stored under the key already')
    .option('-t, --type <type>', 'content type (default: by name, then by the first bytes)')
    .option('--cache-control <value>', 'Cache-Control that the object is served with')
    .option('--meta <name=value>', 'metadata, once or more often', metadataPair)
    .option('--storage-class <class>', 'storage class of S3')
    .addHelpText(
      'after',
      `
Without a key a file keeps its name. A key that ends with a slash is a folder to put it into.

Examples:
  stowage put photo.jpg file:./data
  stowage put photo.jpg s3://bucket a/photo.jpg --cache-control 'max-age=3600'
  stowage put *.jpg file:./data photos/
  stowage put -r ./site s3://bucket site
  pg_dump shop | stowage put - s3://bucket backups/shop.sql`,
    )
  return withOutputOptions(command).action((given: string[], options: PutOptions) =>
    inSession(terminal, command, async session => {
      const { paths, store, key } = readArguments(given)
      const provider = await session.open(store)
      let count = 0
      let bytes = 0
      await eachBounded(
        itemsOf(paths, key, options, session),
        item => options.dryRun || session.out.progress.expect(item.size),
        item =>
          session.attempt(async () => {
            const stored = await put(item, provider, options, session)
            bytes += stored
            count++
          }),
      )
      if (count > 1 && !options.dryRun) session.out.note(`${plural(count, 'file')}, ${humanSize(bytes)}`)
    }),
  )
}

function readArguments(given: string[]) {
  const at = given.findIndex(isStoreUrl)
  if (at === -1) throw new UsageError('name the store, such as file:./data or s3://bucket')
  if (at === 0)
    throw new UsageError('name what to store in front of the store: stowage put photo.jpg file:./data')
  if (given.length > at + 2) throw new UsageError('give one key, behind the store')
  const [paths, store, key] = [given.slice(0, at), given[at]!, given[at + 1]]
  if (key === undefined && paths.length === 1) assertNoKeyIn(store, paths[0]!)
  return { paths, store, key }
}

/** Other programs have the key in the URL; here `s3://bucket/a/photo.jpg` would be a folder of that name. */
function assertNoKeyIn(store: string, path: string): void {
  const { kind, name, prefix } = parseStoreUrl(store)
  const last = basename(kind === 'file' ? name : prefix)
  if (extname(last) === '' || extname(last) !== extname(path)) return
  throw new UsageError(
    `name the store and the key apart, as in: stowage put photo.jpg ${kind === 'file' ? 'file:./data' : `${kind}://bucket`} a/photo.jpg`,
  )
}

async function* itemsOf(
  paths: string[],
  key: string | undefined,
  options: PutOptions,
  { out, terminal, signal }: Session,
): AsyncGenerator<Item> {
  const several = paths.length > 1
  const folder =
    key !== undefined && (several || key.endsWith('/') || key === '.') ? folderPrefix(key) : undefined
  for (const path of paths) {
    signal.throwIfAborted()
    if (path === '-') {
      if (key === undefined || folder !== undefined) throw new UsageError('what comes on stdin needs a key')
      yield { path, key, size: undefined, body: () => terminal.stdin }
      continue
    }
    const info = await stat(path)
    if (!info.isDirectory()) {
      const size = info.isFile() ? info.size : undefined
      const target = folder === undefined ? (key ?? basename(path)) : folder + basename(path)
      yield { path, key: target, size, body: () => createReadStream(path) }
      continue
    }
    if (!options.recursive) throw new UsageError(`${path} is a folder; add -r to store what is in it`)
    const skip = (skipped: string, why: string) => out.note(`skipped ${printable(skipped)}: ${why}`)
    for await (const file of filesBelow(path, skip))
      yield { ...file, key: folderPrefix(key ?? '.') + file.name, body: () => createReadStream(file.path) }
  }
}

async function put(
  item: Item,
  provider: StorageProvider,
  options: PutOptions,
  session: Session,
): Promise<number> {
  const { out, signal } = session
  const { key, path, size } = item
  if (options.dryRun) {
    await out.result({ action: 'put', dryRun: true, path, key, size }, `would store ${printable(key)}`)
    return 0
  }
  const { type: contentType, cacheControl, meta: metadata, storageClass } = options
  const attributes: UploadOptions = { contentType, cacheControl, metadata, storageClass }
  try {
    const info = await provider.upload(key, item.body(), {
      ...Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)),
      ...(options.overwrite ? {} : { ifNoneMatch: '*' as const }),
      size,
      signal,
      onProgress: out.progress.track(),
    })
    await out.done({ action: 'put', path, ...info }, `${printable(key)}  ${humanSize(info.size)}`)
    return info.size
  } finally {
    out.progress.end()
  }
}
