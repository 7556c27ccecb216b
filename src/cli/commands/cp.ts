import { Command } from 'commander'
import { copyAction } from '../copy-action.ts'
import { withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export function cpCommand(terminal: Terminal): Command {
  const command = new Command('cp')
    .summary('copy objects, also to another store')
    .description(
      'Copy objects with type, headers and metadata. Between stores the bytes are verified on the way.',
    )
    .usage('[options] <store> <key> [other-store] <new-key>')
    .argument('<arguments...>', 'store and key; another store, where it is one; the new key')
    .option('-r, --recursive', 'copy everything in a folder; . is everything')
    .option('-n, --dry-run', 'only say what would be copied')
    .option('--no-overwrite', 'fail where something is stored under the new key already')
    .addHelpText(
      'after',
      `
A new key that ends with a slash is a folder to copy into.

Examples:
  stowage cp file:./data a.jpg b.jpg
  stowage cp file:./data a.jpg s3://bucket photos/a.jpg
  stowage cp -r s3://bucket photos supabase://other photos
  stowage cp -r file:./data s3://bucket`,
    )
  return withOutputOptions(command).action(copyAction('cp', terminal, command))
}
