import { Command } from 'commander'
import { isStorageError } from '../../core/errors.ts'
import type { ListEntry } from '../../core/results.ts'
import { folderPrefix } from '../argument-values.ts'
import { humanDate, humanSize, plural, printable } from '../human-format.ts'
import { inSession, type Session, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface LsOptions {
  long?: true
  recursive?: true
}

export function lsCommand(terminal: Terminal): Command {
  const command = new Command('ls')
    .summary('list objects')
    .description('List the objects in a folder, in the order of their keys. Whole keys are printed.')
    .argument('<store>', 'URL of the store')
    .argument('[key]', 'folder or object (default: everything at the top)')
    .option('-l, --long', 'with size, date and type')
    .option('-r, --recursive', 'with everything in the folders below')
    .addHelpText(
      'after',
      `
Examples:
  stowage ls file:./data
  stowage ls -l s3://bucket photos
  stowage ls -r --json s3://bucket | jq -r 'select(.size > 1e6) | .key'`,
    )
  return withOutputOptions(command).action((store: string, key: string | undefined, options: LsOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal } = session
      const provider = await session.open(store)
      const prefix = folderPrefix(key ?? '.')
      const delimiter = options.recursive ? {} : ({ delimiter: '/' } as const)
      let objects = 0
      let bytes = 0
      let entries = 0
      for await (const entry of provider.list({ prefix, ...delimiter, signal })) {
        entries++
        if (entry.kind === 'object') {
          objects++
          bytes += entry.size
        }
        await show(entry, options, session)
      }
      if (entries === 0 && prefix !== '') {
        await show({ kind: 'object', ...(await theObject(key!)) }, options, session)
      } else if (entries === 0 && out.isTerminal) {
        out.note('nothing is stored in this store')
      } else if (options.long && out.isTerminal) {
        out.note(`${plural(objects, 'object')}, ${humanSize(bytes)}`)
      }

      async function theObject(name: string) {
        try {
          return await provider.info(name, { signal })
        } catch (error) {
          if (isStorageError(error, 'not-found', 'invalid-key') && name.endsWith('/'))
            return provider.info(name.replace(/\/+$/, ''), { signal })
          throw error
        }
      }
    }),
  )
}

async function show(entry: ListEntry, { long }: LsOptions, { out }: Session): Promise<void> {
  const name = printable(entry.kind === 'object' ? entry.key : entry.prefix)
  if (!long) return out.result(entry, name)
  const [size, date, type] =
    entry.kind === 'object'
      ? [humanSize(entry.size), humanDate(entry.lastModified), entry.contentType ?? '-']
      : ['-', '', '']
  await out.result(entry, `${size.padStart(8)}  ${date.padEnd(19)}  ${type.padEnd(24)}  ${name}`)
}
