import { Command, InvalidArgumentError, Option } from 'commander'
import {
  type BackupManifest,
  backupRecords,
  listBackups,
  raiseEpochs,
  restoreRecords,
  watchBackups,
} from '../../records/index.ts'
import type { Engine } from '../../sql/engine.ts'
import { sqlite } from '../../sql/sqlite/index.ts'
import { duration } from '../argument-values.ts'
import { UsageError } from '../exit-codes.ts'
import { humanDate, humanSize, plural } from '../human-format.ts'
import { inSession, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { type RecordsOption, withEngine, withRecordsOption } from '../with-engine.ts'

export function recordsCommand(terminal: Terminal): Command {
  return new Command('records')
    .summary('back up and restore the records')
    .description('The database of records: of SQLite and rqlite. For PostgreSQL use pg_dump.')
    .usage('<command>')
    .addCommand(backupCommand(terminal))
    .addCommand(restoreCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(raiseEpochCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  stowage records backup s3://backups/records --records sqlite:./records.db --keep 48
  stowage records backup s3://backups/records --records sqlite:./records.db --watch --every 30s
  stowage records restore s3://backups/records s3://files --records sqlite:./records.db --if-empty`,
    )
}

interface BackupCommandOptions extends RecordsOption {
  keep?: number
  watch?: true
  every: number
}

function backupCommand(terminal: Terminal): Command {
  const command = new Command('backup')
    .description(
      'Write the whole database into a store, read it back and check it. With --watch after each change, and once more on SIGTERM.',
    )
    .argument('<store>', "URL of the store for backups: not within a tenant's files")
    .option('--keep <count>', 'keep so many verified backups and remove older ones (default: all)', count)
    .option('--watch', 'go on, and write a backup whenever something has changed')
    .addOption(
      new Option('--every <duration>', 'with --watch: at most so often, and so much is lost with the disk')
        .argParser(duration)
        .default(60, '1m'),
    )
  return ofRecords(command).action((store: string, options: BackupCommandOptions) =>
    inSession(terminal, command, async ({ out, open, signal }) => {
      const backups = await open(store)
      const backUp = async (engine: Engine) => {
        const { keep, watch, every } = options
        if (!watch) {
          await told(await backupRecords(engine, backups, { keep, openFile, signal }))
          return
        }
        // The last one is made after the signal: it must not end it.
        await watchBackups(engine, backups, {
          keep,
          openFile,
          signal,
          everyMs: every * 1000,
          onBackup: manifest => void told(manifest),
          onFailure: error => void out.fail(error),
        })
      }
      // Beside an application that starts at the same time there may be none yet.
      await withEngine(terminal, options, backUp, { mayMake: options.watch === true })
      async function told(manifest: BackupManifest) {
        await out.done({ action: 'backup', ...shown(manifest) }, line(manifest))
      }
    }),
  )
}

interface RestoreCommandOptions extends RecordsOption {
  name?: string
  ifEmpty?: true
  ifBackupExists?: true
  replace?: true
}

function restoreCommand(terminal: Terminal): Command {
  const command = new Command('restore')
    .description(
      'Put a backup in the place of the database and begin a new epoch. Stop what uses a SQLite database first.',
    )
    .argument('<store>', 'URL of the store with the backups')
    .argument('<files>', 'URL of the store with the files that the records are of')
    .option('--name <backup>', 'which one, see stowage records list (default: the newest)')
    .option('--if-empty', 'do nothing where the database is there: for the start of a pod')
    .option('--if-backup-exists', 'no failure where there is no backup at all: for the very first start')
    .option('--replace', 'all that the database holds goes')
  return ofRecords(command).action((store: string, files: string, options: RestoreCommandOptions) =>
    inSession(terminal, command, async ({ out, open, signal }) => {
      const { name, ifEmpty, ifBackupExists, replace } = options
      if (ifEmpty && replace) throw new UsageError('--if-empty and --replace contradict each other')
      const [backups, provider] = [await open(store), await open(files)]
      const restore = async (engine: Engine) => {
        const present = replace ? 'replace' : ifEmpty ? 'skip' : 'refuse'
        const report = await restoreRecords(engine, backups, provider, {
          name,
          present,
          ifBackupExists,
          openFile,
          signal,
        })
        const { restored, backup, epochs } = report
        const text =
          backup === undefined
            ? 'nothing was restored: the database is there, or there is no backup'
            : `restored ${backup.name}: ${plural(backup.tenants.length, 'tenant')}. gc waits for stowage audit --confirm`
        await out.done({ action: 'restore', restored, backup: backup?.name, epochs }, text)
      }
      await withEngine(terminal, options, restore, { mayMake: true })
    }),
  )
}

function listCommand(terminal: Terminal): Command {
  const command = new Command('list')
    .description('List the backups in a store, the newest first.')
    .argument('<store>', 'URL of the store with the backups')
  return withOutputOptions(command).action((store: string) =>
    inSession(terminal, command, async ({ out, open, signal }) => {
      for (const manifest of await listBackups(await open(store), { signal }))
        await out.result(shown(manifest), line(manifest))
    }),
  )
}

function raiseEpochCommand(terminal: Terminal): Command {
  const command = new Command('raise-epoch')
    .description(
      'Begin a new epoch, after a database was restored by other means: pg_restore, a snapshot of a disk.',
    )
    .argument('<files>', 'URL of the store with the files that the records are of')
    .argument('[tenant...]', 'tenants; all where none is named')
  return ofRecords(command).action((files: string, tenants: string[], options: RecordsOption) =>
    inSession(terminal, command, async ({ out, open }) => {
      const provider = await open(files)
      await withEngine(terminal, options, async engine => {
        const epochs = await raiseEpochs(engine, provider, tenants.length > 0 ? tenants : undefined)
        for (const [tenant, epoch] of Object.entries(epochs))
          await out.done({ tenant, epoch }, `${tenant}  epoch ${epoch}`)
      })
    }),
  )
}

/** A backup is a SQLite file, whichever engine it comes from. */
const openFile = (path: string) => sqlite({ path })

const ofRecords = (command: Command) => withOutputOptions(withRecordsOption(command))

function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a whole number of at least 1.')
}

function shown({ rows: _, ...manifest }: BackupManifest): object {
  return manifest
}

function line({ name, at, size, tenants }: BackupManifest): string {
  const files = tenants.reduce((sum, tenant) => sum + tenant.files, 0)
  return `${humanDate(new Date(at))}  ${name}  ${humanSize(size)}  ${plural(tenants.length, 'tenant')}, ${plural(files, 'file')}`
}
