import type { Command } from 'commander'
import type { StorageProvider } from '../core/provider.ts'
import { retry } from '../decorators/retry.ts'
import { open, openEngine } from '../open.ts'
import type { RecordedFiles, RecordsEvent } from '../records/index.ts'
import { commandPath } from './command-path.ts'
import { assertDatabaseThere } from './database-file.ts'
import { type Failure, SomeFailed, UsageError } from './exit-codes.ts'
import { Output, type OutputOptions } from './output.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. */
export interface Session {
  readonly out: Output
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** The store of a URL; closed when the command ends. */
  open(url: string): Promise<StorageProvider>
  /** Closes what a command has opened by itself when it ends. */
  closing<Opened extends { close(): Promise<void> }>(opened: Opened): Opened
  /** The store with the records of its files; closed when the command ends. */
  openRecords(
    url: string,
    options: OpenRecordsOptions,
    onEvent?: (event: RecordsEvent) => void,
  ): Promise<RecordedFiles>
  /** One of many: its failure is told and the others go on. An interruption ends them all. */
  attempt(work: () => Promise<void>): Promise<void>
}

/** Options that every command takes. */
export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object a line, and errors as JSON on stderr')
    .option('-q, --quiet', 'print no progress and nothing of what was done')
}

/** Where the records are and whose they are, as options of a command. */
export interface RecordsLocation {
  readonly records?: string
  readonly tenant?: string
  readonly root?: string
}

export interface OpenRecordsOptions extends RecordsLocation {
  /** Milliseconds that copies of what is removed are kept for old backups, beyond their own time. */
  readonly keepForBackupsMs?: number
  /** Whether the database is made where there is none. Default: refused. */
  readonly mayMake?: boolean
}

/** Options of every command that needs records. */
export function withRecordsOptions(command: Command): Command {
  return command
    .option('--records <url>', 'URL of the database with the records (default: STOWAGE_RECORDS)')
    .option('--tenant <id>', 'whose files (default: STOWAGE_TENANT_ID, else default)')
    .option('--root <prefix>', 'beginning of the keys in the bucket, where it is not <tenant>/')
}

/** Runs a command, closes what it opened, and throws at its end where parts of it failed. */
export async function inSession(
  terminal: Terminal,
  command: Command,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const out = new Output(terminal, commandPath(command), command.opts<OutputOptions>())
  const opened: { close(): Promise<void> }[] = []
  const failures: Failure[] = []
  const { signal } = terminal
  try {
    await work({
      out,
      terminal,
      signal,
      async open(url) {
        const provider = retry(await open(url, { env: terminal.env }))
        opened.push(provider)
        return provider
      },
      closing(one) {
        opened.push(one)
        return one
      },
      async openRecords(url, options, onEvent) {
        const { records = terminal.env.STOWAGE_RECORDS, mayMake, tenant, root, keepForBackupsMs } = options
        const { env } = terminal
        if (!records)
          throw new UsageError('name the database with the records: --records sqlite:./records.db')
        if (!mayMake) assertDatabaseThere(records)
        const { withRecords } = await import('../records/index.ts')
        const store = retry(await open(url, { env }))
        opened.push(store)
        const engine = await openEngine(records, { env })
        opened.push(engine)
        return withRecords(store, engine, {
          env,
          ...(tenant === undefined ? {} : { tenant }),
          ...(root === undefined ? {} : { root }),
          ...(keepForBackupsMs === undefined ? {} : { keepForBackupsMs }),
          ...(onEvent === undefined ? {} : { onEvent }),
        })
      },
      async attempt(one) {
        try {
          await one()
        } catch (error) {
          if (signal.aborted) throw error
          failures.push(out.fail(error))
        }
      },
    })
  } finally {
    out.progress.stop()
    // The other way round: what was opened last may still use what was opened before.
    for (const one of opened.reverse()) await one.close()
  }
  if (failures.length > 0) throw new SomeFailed(failures)
}
