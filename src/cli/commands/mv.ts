import { Command } from 'commander'
import { copyAction } from '../copy-action.ts'
import { withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export function mvCommand(terminal: Terminal): Command {
  const command = new Command('mv')
    .summary('move objects, also to another store')
    .description(
      'Move or rename objects. To another store: each is copied and verified, and only then deleted here.',
    )
    .usage('[options] <store> <key> [other-store] <new-key>')
    .argument('<arguments...>', 'store and key; another store, where it is one; the new key')
    .option('-r, --recursive', 'move everything in a folder; . is everything')
    .option('-n, --dry-run', 'only say what would be moved')
    .option('--no-overwrite', 'fail where something is stored under the new key already')
    .addHelpText(
      'after',
      `
Examples:
  stowage mv file:./data draft.txt final.txt
  stowage mv -r s3://bucket photos/2025 archive/2025
  stowage mv -r file:./data s3://bucket`,
    )
  return withOutputOptions(command).action(copyAction('mv', terminal, command))
}
