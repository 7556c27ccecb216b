import { Command } from 'commander'
import type { JobStatus } from '../../records/index.ts'
import { count } from '../argument-values.ts'
import { EXIT, Told } from '../exit-codes.ts'
import { humanDate, plural, printable } from '../human-format.ts'
import { inSession, type RecordsLocation, withOutputOptions, withRecordsOptions } from '../session.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface DoctorOptions extends RecordsLocation {
  stuck?: true
  retry?: string[]
  cancel?: string[]
  run?: true
  limit?: number
}

export function doctorCommand(terminal: Terminal): Command {
  const command = new Command('doctor')
    .summary('show what the journal owes, and mend what is stuck')
    .description(
      'Show the operations that are under way, owed or stuck; retry or cancel them by their id. Ends with 6 where something is stuck.',
    )
    .argument('<store>', 'URL of the store')
  withRecordsOptions(command)
    .option('--stuck', 'only what needs a person')
    .option('--retry <id...>', 'make these jobs due now')
    .option('--cancel <id...>', 'give these jobs up, where nothing is lost by it')
    .option('--run', 'do what is due, as a worker would')
    .option('--limit <n>', 'jobs that are listed, the oldest first (default: 1000)', count)
    .addHelpText(
      'after',
      `
Examples:
  stowage doctor file:./data --records sqlite:./records.db
  stowage doctor s3://bucket --records postgres://app@db/app --stuck --json
  stowage doctor s3://bucket --records postgres://app@db/app --retry 01j8z6q4n3m2k1h0g9f8e7d6c5 --run`,
    )
  return withOutputOptions(command).action((store: string, options: DoctorOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal, attempt } = session
      const files = await session.openRecords(store, options)
      for (const id of options.retry ?? [])
        await attempt(async () => {
          await files.retryJob(id)
          await out.done({ action: 'retry', id }, `${printable(id)}  is due now`)
        })
      for (const id of options.cancel ?? [])
        await attempt(async () => {
          await files.cancelJob(id)
          await out.done({ action: 'cancel', id }, `${printable(id)}  given up`)
        })
      if (options.run) {
        const report = await files.recover({ signal })
        await out.done({ action: 'run', ...report }, `worked on ${plural(report.worked, 'job')}`)
      }
      const { limit } = options
      const jobs = await files.jobs({
        ...(options.stuck ? { stuck: true } : {}),
        ...(limit === undefined ? {} : { limit }),
      })
      if (out.json) for (const job of jobs) await out.result(job, '')
      else if (jobs.length > 0) await out.result({}, table(HEADERS, jobs.map(rowOf)))
      else out.note(options.stuck ? 'nothing is stuck' : 'nothing is owed')
      if (jobs.some(job => job.status === 'stuck')) throw new Told('something is stuck', EXIT.found)
    }),
  )
}

const HEADERS = ['id', 'kind', 'status', 'attempts', 'due', 'key', 'error']

function rowOf({ id, kind, status, attempts, dueAt, key, physical, error }: JobStatus): string[] {
  const cells = [id, kind, status, String(attempts), humanDate(dueAt), key || physical, error ?? '']
  return cells.map(printable)
}
