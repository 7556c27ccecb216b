import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { fileNameOf } from '../../core/content-disposition.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { folderPrefix } from '../argument-values.ts'
import { eachBounded } from '../each-bounded.ts'
import { UsageError } from '../exit-codes.ts'
import { humanSize, plural, printable } from '../human-format.ts'
import { assertFree, saveFile, verified } from '../local-files.ts'
import { objectOf, objectsIn } from '../objects-in.ts'
import { inSession, type Session, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface GetOptions {
  recursive?: true
  dryRun?: true
  overwrite: boolean
}

export function getCommand(terminal: Terminal): Command {
  const command = new Command('get')
    .summary('fetch objects into files')
    .description('Fetch an object, or all below a prefix. A file appears when it is whole and verified.')
    .argument('<store>', 'URL of the store')
    .argument('<key>', 'key of the object; with -r a folder, or . for everything')
    .argument('[path]', 'file or folder to write to, - for stdout (default: the name of the key, here)')
    .option('-r, --recursive', 'fetch everything in the folder')
    .option('-n, --dry-run', 'only say what would be fetched')
    .option('--no-overwrite', 'fail where there is a file already')
    .addHelpText(
      'after',
      `
Examples:
  stowage get file:./data a/photo.jpg
  stowage get s3://bucket a/photo.jpg /tmp/p.jpg
  stowage get s3://bucket backups/shop.sql - | psql shop
  stowage get -r s3://bucket photos ./photos`,
    )
  return withOutputOptions(command).action(
    (store: string, key: string, path: string | undefined, options: GetOptions) =>
      inSession(terminal, command, async session => {
        if (options.recursive && path === '-') throw new UsageError('a folder does not fit into stdout')
        const provider = await session.open(store)
        if (options.recursive) return getAll(provider, folderPrefix(key), path ?? '.', options, session)
        if (path === '-') return getToStdout(provider, key, session)
        session.out.progress.expect((await objectOf(provider, key, session.signal)).size)
        await getOne(provider, key, await targetOf(key, path), options, session)
      }),
  )
}

async function getToStdout(
  provider: StorageProvider,
  key: string,
  { terminal, signal }: Session,
): Promise<void> {
  const download = await provider.download(key, { signal })
  await pipeline(verified(download), terminal.stdout, { signal, end: false })
}

async function getAll(
  provider: StorageProvider,
  prefix: string,
  folder: string,
  options: GetOptions,
  session: Session,
): Promise<void> {
  const { out, signal } = session
  let count = 0
  let bytes = 0
  await eachBounded(
    objectsIn(provider, prefix, signal),
    entry => options.dryRun || out.progress.expect(entry.size),
    entry =>
      session.attempt(async () => {
        count++
        bytes += entry.size
        await getOne(provider, entry.key, placeOf(entry.key, prefix, folder), options, session)
      }),
  )
  if (count === 0) out.note('nothing is stored in this store')
  else if (!options.dryRun) out.note(`${plural(count, 'file')}, ${humanSize(bytes)}`)
}

async function getOne(
  provider: StorageProvider,
  key: string,
  path: string,
  { overwrite, dryRun }: GetOptions,
  { out, signal }: Session,
): Promise<void> {
  if (dryRun) return out.result({ action: 'get', dryRun: true, key, path }, `would write ${printable(path)}`)
  try {
    // Looked at again when the file is whole; but why fetch what can't be kept?
    if (!overwrite) await assertFree(path)
    const download = await provider.download(key, { signal, onProgress: out.progress.track() })
    await saveFile(download, path, { overwrite, signal })
    const { size } = download.info
    await out.done({ action: 'get', path, ...download.info }, `${printable(path)}  ${humanSize(size)}`)
  } finally {
    out.progress.end()
  }
}

async function targetOf(key: string, path: string | undefined): Promise<string> {
  if (path === undefined) return fileNameOf(key)
  const isFolder = path.endsWith('/') || (await stat(path).catch(() => undefined))?.isDirectory()
  return isFolder ? join(path, fileNameOf(key)) : path
}

/** Where an object below a prefix goes. Keys can be what paths can't: those are refused, not bent. */
function placeOf(key: string, prefix: string, folder: string): string {
  const name = key.slice(prefix.length)
  if (/^\/|\/\/|\/$/.test(name) || name.split('/').some(part => part === '.' || part === '..'))
    throw new UsageError(
      `${printable(key)} can't be the name of a file; fetch it by itself: stowage get <store> <key> <path>`,
    )
  return join(resolve(folder) === process.cwd() ? '.' : folder, name)
}
