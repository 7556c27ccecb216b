import { Command } from 'commander'
import { inSession, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { withExistingOption } from './limit-options.ts'
import { withManifestOptions } from './open-manifest.ts'
import { type MigrationOptions, openMigration } from './open-migration.ts'
import { withRuleOptions } from './rule-options.ts'
import { EventShow } from './show-events.ts'
import { tellPlan } from './show-plan.ts'

export function planCommand(terminal: Terminal): Command {
  const command = new Command('plan')
    .summary('say what would be copied, what it costs, and what can’t be')
    .description(
      'List both stores and say what would be copied, what it costs, and what can’t be. Copies nothing. Ends with 6 where something is refused, or the source holds nothing.',
    )
    .argument('[from]', 'URL of the store that is left; not needed where the manifest knows it')
    .argument('[to]', 'URL of the store that is moved to')
  withManifestOptions(withExistingOption(withRuleOptions(command))).addHelpText(
    'after',
    `
Examples:
  stowage migrate plan file:./data s3://bucket
  stowage migrate plan supabase://files s3://bucket --prefix avatars/ --key-rule prefix:avatars/=users/
  stowage migrate plan`,
  )
  return withOutputOptions(command).action(
    (from: string | undefined, to: string | undefined, options: MigrationOptions) =>
      inSession(terminal, command, async session => {
        const { out, signal } = session
        const { migrate } = await import('../../../migrate/index.ts')
        const opened = await openMigration(session, { from, to }, options)
        const show = new EventShow(out)
        const steps = migrate(opened.options).plan({ signal })
        // The plan itself is the last thing that is printed.
        for await (const event of steps) if (event.kind !== 'planned') await show.show(event)
        const plan = await steps
        out.progress.stop()
        await tellPlan(out, opened, plan)
      }),
  )
}
