import { Command } from 'commander'
import type { Terminal } from '../terminal.ts'
import { cutoverCommand } from './migrate/cutover.ts'
import { planCommand } from './migrate/plan.ts'
import { reportCommand } from './migrate/report.ts'
import { runCommand } from './migrate/run.ts'
import { statusCommand } from './migrate/status.ts'
import { verifyCommand } from './migrate/verify.ts'
import { workerCommand } from './migrate/worker.ts'

const COMMANDS = [
  planCommand,
  runCommand,
  statusCommand,
  verifyCommand,
  reportCommand,
  cutoverCommand,
  workerCommand,
]

export function migrateCommand(terminal: Terminal): Command {
  const command = new Command('migrate')
    .summary('move objects from any store to any other: planned, verified, and resumed after a kill')
    .description(
      'Move objects from any store to any other. What was done is written down in a manifest, a database: a run that was ended at any moment goes on where it was. The manifest also remembers the stores and the rules, so that later commands need not be told again.',
    )
    .usage('<command>')
    .addHelpText(
      'after',
      `
Examples:
  stowage migrate plan file:./data s3://bucket
  stowage migrate run file:./data s3://bucket
  stowage migrate run
  stowage migrate verify --level content
  stowage migrate report --html report.html`,
    )
  for (const make of COMMANDS) command.addCommand(make(terminal))
  return command
}
