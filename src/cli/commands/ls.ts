import { Command } from 'commander'
import { isStorageError } from '../../core/errors.ts'
import type { ListEntry } from '../../core/results.ts'
import type { RecordedFiles } from '../../records/index.ts'
import { folderPrefix } from '../argument-values.ts'
import { humanDate, humanSize, plural, printable } from '../human-format.ts'
import {
  inSession,
  type RecordsLocation,
  type Session,
  withOutputOptions,
  withRecordsOptions,
} from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface LsOptions extends RecordsLocation {
  long?: true
  physical?: true
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
    .option('--physical', 'files that have records, each with the key under which the store has its bytes')
    .addHelpText(
      'after',
      `
With --records, --tenant or --physical the files are listed that have records, by their own names; else what the store has.

Examples:
  stowage ls file:./data
  stowage ls -l s3://bucket photos
  stowage ls -r --json s3://bucket | jq -r 'select(.size > 1e6) | .key'
  stowage ls -r --physical s3://bucket --records postgres://app@db/app --tenant acme`,
    )
  withRecordsOptions(command)
  return withOutputOptions(command).action((store: string, key: string | undefined, options: LsOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal } = session
      // Not by STOWAGE_RECORDS alone: what plain `ls` shows of a store never depends on the environment.
      const isRecorded = [options.physical, options.records, options.tenant, options.root].some(
        value => value !== undefined,
      )
      const recorded = isRecorded ? await session.openRecords(store, options) : undefined
      const provider = recorded ?? (await session.open(store))
      const located = options.physical ? recorded : undefined
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
        await show(entry, options, session, located)
      }
      if (entries === 0 && prefix !== '') {
        await show({ kind: 'object', ...(await theObject(key!)) }, options, session, located)
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

async function show(
  entry: ListEntry,
  { long }: LsOptions,
  { out, signal }: Session,
  located: RecordedFiles | undefined,
): Promise<void> {
  const key = printable(entry.kind === 'object' ? entry.key : entry.prefix)
  const physical =
    entry.kind === 'object' ? await located?.physicalKey(entry.key, { signal }).catch(gone) : undefined
  const name = physical === undefined ? key : `${key}  ${printable(physical)}`
  const shown = physical === undefined ? entry : { ...entry, physical }
  if (!long) return out.result(shown, name)
  const [size, date, type] =
    entry.kind === 'object'
      ? [humanSize(entry.size), humanDate(entry.lastModified), entry.contentType ?? '-']
      : ['-', '', '']
  await out.result(shown, `${size.padStart(8)}  ${date.padEnd(19)}  ${type.padEnd(24)}  ${name}`)
}

/** A file may be deleted since it was listed. */
function gone(error: unknown): undefined {
  if (!isStorageError(error, 'not-found')) throw error
}
