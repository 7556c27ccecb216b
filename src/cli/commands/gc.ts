import { Command } from 'commander'
import type { CollectReport } from '../../records/index.ts'
import { count, duration, share } from '../argument-values.ts'
import { EXIT, Told } from '../exit-codes.ts'
import { untilEnded } from '../repeated.ts'
import { inSession, type RecordsLocation, withOutputOptions, withRecordsOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface GcOptions extends RecordsLocation {
  apply?: true
  grace?: number
  keepForBackups?: number
  maxOrphans?: number
  maxShare?: number
  exclusive?: true
  limit?: number
  every?: number
}

export function gcCommand(terminal: Terminal): Command {
  const command = new Command('gc')
    .summary('remove objects that no record knows')
    .description(
      'Remove objects that no record knows, by way of quarantine. An orphan must have been seen twice, a grace apart, by gc or by audit. Without --apply it only says what would go. Ends with 7 where it stops because of too many.',
    )
    .argument('<store>', 'URL of the store')
  withRecordsOptions(command)
    .option('--apply', 'do it')
    .option('--grace <time>', 'between the two sightings, and in quarantine (default: 24h)', duration)
    .option(
      '--keep-for-backups <time>',
      'so much longer in quarantine: as old as the oldest backup that may be restored (default: 0)',
      duration,
    )
    .option('--max-orphans <n>', 'more than this, and nothing is removed (default: 1000)', count)
    .option(
      '--max-share <part>',
      'a greater part of the objects, and nothing is removed (default: 1%)',
      share,
    )
    .option('--exclusive', 'nobody else stores anything here: also what is not of our form')
    .option('--limit <n>', 'orphans that are listed; all are counted (default: 100)', count)
    .option('--every <time>', 'again and again, in one of all processes that do so', duration)
    .addHelpText(
      'after',
      `
Examples:
  stowage gc file:./data --records sqlite:./records.db
  stowage gc s3://bucket --records postgres://app@db/app --tenant acme --apply
  stowage gc s3://bucket --records rqlite://db1:4001,db2:4001 --apply --every 1d`,
    )
  return withOutputOptions(command).action((store: string, options: GcOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal } = session
      const { apply, grace, keepForBackups, maxOrphans, maxShare, exclusive, limit, every } = options
      const located =
        keepForBackups === undefined ? options : { ...options, keepForBackupsMs: keepForBackups * 1000 }
      const files = await session.openRecords(store, located, event => {
        if (event.kind === 'worker-failed') out.fail(event.error)
      })
      const given = {
        ...(apply ? { apply } : {}),
        ...(exclusive ? { exclusive } : {}),
        ...(grace === undefined ? {} : { graceMs: grace * 1000 }),
        ...(maxOrphans === undefined ? {} : { maxOrphans }),
        ...(maxShare === undefined ? {} : { maxShare }),
        ...(limit === undefined ? {} : { limit }),
        onProgress: ({ records, expectedRecords }: { records: number; expectedRecords: number }) =>
          out.progress.count(records, expectedRecords, 'records'),
      }
      const show = async (report: CollectReport) => {
        out.progress.stop()
        const { collectText } = await import('../../records/index.ts')
        if (!out.json) return out.result(report, collectText(report))
        const { findings, ...rest } = report
        for (const finding of findings) await out.result({ finding }, '')
        await out.result({ action: 'gc', ...rest }, '')
      }
      if (every !== undefined)
        return untilEnded(
          signal,
          onReport => files.startCollects({ ...given, everyMs: every * 1000, onReport }),
          show,
        )
      const report = await files.collect({ ...given, signal })
      await show(report)
      if (report.stopped !== undefined) throw new Told(report.stopped.reason, EXIT.stopped)
    }),
  )
}
