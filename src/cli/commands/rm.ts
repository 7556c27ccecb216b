import { Command } from 'commander'
import type { StorageProvider } from '../../core/provider.ts'
import { folderPrefix } from '../argument-values.ts'
import { plural, printable } from '../human-format.ts'
import { inSession, type Session, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface RmOptions {
  recursive?: true
  dryRun?: true
}

const HOW = { deleted: 'deleted', missing: 'was not there', gone: 'gone' } as const

/** Keys of one call: so much is listed before it is deleted. */
const BATCH = 1000

export function rmCommand(terminal: Terminal): Command {
  const command = new Command('rm')
    .summary('delete objects')
    .description('Delete objects. One that is not there is no error; --json says which it was.')
    .argument('<store>', 'URL of the store')
    .argument('<key...>', 'keys of the objects; with -r folders, or . for everything')
    .option('-r, --recursive', 'delete everything in the folders')
    .option('-n, --dry-run', 'only say what would be deleted')
    .addHelpText(
      'after',
      `
Examples:
  stowage rm file:./data a/photo.jpg b.txt
  stowage rm -r --dry-run s3://bucket photos/2019
  stowage rm -r s3://bucket photos/2019`,
    )
  return withOutputOptions(command).action((store: string, keys: string[], options: RmOptions) =>
    inSession(terminal, command, async session => {
      const provider = await session.open(store)
      let count = 0
      for await (const batch of batches(provider, keys, options, session.signal))
        count += await remove(provider, batch, options, session)
      if (options.recursive && !options.dryRun) session.out.note(`deleted ${plural(count, 'object')}`)
    }),
  )
}

async function* batches(
  provider: StorageProvider,
  keys: string[],
  { recursive }: RmOptions,
  signal: AbortSignal,
) {
  if (!recursive) {
    yield keys
    return
  }
  for (const key of keys) {
    for await (const entries of provider.list({ prefix: folderPrefix(key), signal, pageSize: BATCH }).pages())
      yield entries.flatMap(entry => (entry.kind === 'object' ? [entry.key] : []))
  }
}

async function remove(
  provider: StorageProvider,
  keys: string[],
  { dryRun }: RmOptions,
  { out, signal, attempt }: Session,
): Promise<number> {
  if (dryRun) {
    for (const key of keys)
      await out.result({ action: 'rm', dryRun: true, key }, `would delete ${printable(key)}`)
    return 0
  }
  let count = 0
  for (const result of await provider.deleteMany(keys, { signal })) {
    await attempt(async () => {
      if (result.status === 'error') throw result.error
      if (result.status !== 'missing') count++
      await out.done({ action: 'rm', ...result }, `${printable(result.key)}  ${HOW[result.status]}`)
    })
  }
  return count
}
