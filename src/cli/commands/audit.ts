import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { AuditReport } from '../../records/index.ts'
import { count, duration } from '../argument-values.ts'
import { EXIT, Told } from '../exit-codes.ts'
import { untilEnded } from '../repeated.ts'
import { inSession, type RecordsLocation, withOutputOptions, withRecordsOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { checkBucket } from './s3/check-bucket.ts'

interface AuditCommandOptions extends RecordsLocation {
  html?: string
  limit?: number
  stale?: number
  every?: number
  confirm?: true
  policy?: string
}

export function auditCommand(terminal: Terminal): Command {
  const command = new Command('audit')
    .summary('hold a store and its records against each other')
    .description(
      'Hold a store and its records against each other: objects without a record, records without an object, sizes and checksums that differ, jobs and uploads that were left. Changes nothing. Ends with 6 where it finds something.',
    )
    .argument('<store>', 'URL of the store')
  withRecordsOptions(command)
    .option('--html <file>', 'also write the report as a page to look at')
    .option('--limit <n>', 'findings that are listed; all are counted (default: 100)', count)
    .option('--stale <time>', 'how long a job may be due before that is a finding (default: 1h)', duration)
    .option('--confirm', 'after a restore or a move: these findings were looked at, gc may go on')
    .option(
      '--policy <file>',
      'also whether the bucket has the lifecycle rules of this policy, and they work',
    )
    .option('--every <time>', 'again and again, in one of all processes that do so', duration)
    .addHelpText(
      'after',
      `
Examples:
  stowage audit file:./data --records sqlite:./records.db
  stowage audit s3://bucket --records postgres://app@db/app --tenant acme --html audit.html
  stowage audit s3://bucket --records rqlite://db1:4001,db2:4001 --every 1d --json`,
    )
  return withOutputOptions(command).action((store: string, options: AuditCommandOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal } = session
      const { limit, stale, confirm, every, policy } = options
      const files = await session.openRecords(store, options, event => {
        if (event.kind === 'worker-failed') out.fail(event.error)
      })
      const given = {
        ...(limit === undefined ? {} : { limit }),
        ...(stale === undefined ? {} : { staleMs: stale * 1000 }),
        ...(confirm ? { confirm } : {}),
        onProgress: ({ records, expectedRecords }: { records: number; expectedRecords: number }) =>
          out.progress.count(records, expectedRecords, 'records'),
      }
      const show = async (report: AuditReport) => {
        out.progress.stop()
        const { auditHtml, auditText } = await import('../../records/index.ts')
        if (options.html !== undefined) await writeFile(options.html, auditHtml(report))
        const { findings, ...rest } = report
        if (out.json) for (const finding of findings) await out.result({ finding }, '')
        await out.result({ action: 'audit', ...rest }, auditText(report))
        const obeyed = policy === undefined || (await checkBucket(session, store, policy, { limit }))
        return report.clean && obeyed
      }
      if (every !== undefined)
        return untilEnded(
          signal,
          onReport => files.startAudits({ ...given, everyMs: every * 1000, onReport }),
          async (report: AuditReport) => {
            await show(report)
          },
        )
      const report = await files.audit({ ...given, signal })
      if (!(await show(report))) throw new Told('something was found', EXIT.found)
    }),
  )
}
