import { Command } from 'commander'
import { EXIT, Told } from '../../exit-codes.ts'
import { humanSize, plural } from '../../human-format.ts'
import { inSession, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { withLevelOption, withLimitOptions } from './limit-options.ts'
import { openKnownManifest, withManifestOptions } from './open-manifest.ts'
import { type MigrationOptions, openMigration } from './open-migration.ts'
import { withRuleOptions } from './rule-options.ts'
import { noteProblems, statusTable } from './show-counts.ts'
import { EventShow } from './show-events.ts'

export function verifyCommand(terminal: Terminal): Command {
  const command = new Command('verify')
    .summary('hold both stores against each other')
    .description(
      'Hold both stores against each other and against what was written down while copying. attributes: sizes, etags, types, headers, metadata. checksum: also that the destination has the bytes that were sent, as far as it can prove it. content: both sides are read in full. Copies nothing. Ends with 6 where something does not match.',
    )
    .argument('[from]', 'URL of the store that is left; not needed where the manifest knows it')
    .argument('[to]', 'URL of the store that is moved to')
  withLimitOptions(withManifestOptions(withLevelOption(withRuleOptions(command)))).addHelpText(
    'after',
    `
Examples:
  stowage migrate verify
  stowage migrate verify --level content --bandwidth 50MB
  stowage migrate verify --json | jq -r 'select(.event == "verified" and .status != "match") | .key'`,
  )
  return withOutputOptions(command).action(
    (from: string | undefined, to: string | undefined, options: MigrationOptions) =>
      inSession(terminal, command, async session => {
        const { out, signal } = session
        await openKnownManifest(session, options)
        const { migrate } = await import('../../../migrate/index.ts')
        const { manifest, options: made } = await openMigration(session, { from, to }, options)
        const show = new EventShow(out)
        const steps = migrate(made).verify({ signal })
        for await (const event of steps) await show.show(event)
        const summary = await steps
        out.progress.stop()
        const { level, objects, bytes, statuses, complete } = summary
        await out.result(
          { action: 'verify', ...summary },
          `verified ${plural(objects, 'object')}, ${humanSize(bytes)}, by ${level}\n${statusTable(statuses)}`,
        )
        if (complete) return
        await noteProblems(out, manifest, statuses)
        throw new Told('not everything matches', EXIT.found)
      }),
  )
}
