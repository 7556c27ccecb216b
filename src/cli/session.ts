import type { Command } from 'commander'
import type { StorageProvider } from '../core/provider.ts'
import { retry } from '../decorators/retry.ts'
import { open } from '../open.ts'
import { type Failure, SomeFailed } from './exit-codes.ts'
import { Output, type OutputOptions } from './output.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. */
export interface Session {
  readonly out: Output
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** The store of a URL; closed when the command ends. */
  open(url: string): Promise<StorageProvider>
  /** One of many: its failure is told and the others go on. An interruption ends them all. */
  attempt(work: () => Promise<void>): Promise<void>
}

/** Options that every command takes. */
export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object a line, and errors as JSON on stderr')
    .option('-q, --quiet', 'print no progress and nothing of what was done')
}

/** Runs a command, closes what it opened, and throws at its end where parts of it failed. */
export async function inSession(
  terminal: Terminal,
  command: Command,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const out = new Output(terminal, command.name(), command.opts<OutputOptions>())
  const opened: StorageProvider[] = []
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
    await Promise.all(opened.map(provider => provider.close()))
  }
  if (failures.length > 0) throw new SomeFailed(failures)
}
