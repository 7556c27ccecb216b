import { Command } from 'commander'
import { lostAttributes } from '../../../migrate/report/lost-attributes.ts'
import { strayCounts } from '../../../migrate/verify/strays.ts'
import { isComplete, statusesOf } from '../../../migrate/verify/verification-summary.ts'
import { lastVerifyRun } from '../../../migrate/verify/verify-run.ts'
import { EXIT, Told } from '../../exit-codes.ts'
import { humanDate, printable } from '../../human-format.ts'
import { inSession, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { type ManifestOptions, openKnownManifest, withManifestOptions } from './open-manifest.ts'
import { stateTable, statusTable } from './show-counts.ts'

export function statusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .summary('say how far it is')
    .description(
      'Say how far a migration is, from its manifest alone: no store is asked. Ends with 6 unless everything is copied and matches.',
    )
  withManifestOptions(command).addHelpText(
    'after',
    `
Examples:
  stowage migrate status
  stowage migrate status --manifest rqlite://h1:4001 --name avatars --json`,
  )
  return withOutputOptions(command).action((options: ManifestOptions) =>
    inSession(terminal, command, async session => {
      const { out } = session
      const { manifest, command: stored } = await openKnownManifest(session, options)
      const counts = await manifest.counts()
      const strays = await strayCounts(manifest)
      const statuses = statusesOf(counts, strays)
      const complete = isComplete(counts, strays)
      const verified = await lastVerifyRun(manifest)
      const lost = await lostAttributes(manifest)
      const places = stored === undefined ? {} : { from: stored.from, to: stored.to }
      const lines = [
        ...(stored === undefined
          ? []
          : [`${stored.from} -> ${stored.to}${manifest.name === 'default' ? '' : ` (${manifest.name})`}`]),
        stateTable(counts),
        statusTable(statuses),
        ...(verified === undefined
          ? []
          : [
              verified.endedAt === undefined
                ? `a verification by ${verified.level}, begun at ${humanDate(new Date(verified.startedAt))} UTC, has not ended`
                : `verified as a whole by ${verified.level} at ${humanDate(new Date(verified.endedAt))} UTC`,
            ]),
        ...Object.entries(lost).map(
          ([name, key]) => `${name} is not kept by the destination, first of ${printable(key)}`,
        ),
        complete ? 'everything is copied and matches' : 'not everything is copied and matches',
      ]
      await out.result(
        {
          action: 'status',
          name: manifest.name,
          ...places,
          complete,
          states: counts.byState,
          statuses,
          strays,
          verification: verified,
          lostAttributes: lost,
        },
        lines.join('\n'),
      )
      if (!complete) throw new Told('not everything matches', EXIT.found)
    }),
  )
}
