import { Command } from 'commander'
import { count } from '../../argument-values.ts'
import { EXIT, Told, UsageError } from '../../exit-codes.ts'
import { humanSize, plural } from '../../human-format.ts'
import { inSession, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { type LimitOptions, withLimitOptions } from './limit-options.ts'
import { type ManifestOptions, openKnownManifest, withManifestOptions } from './open-manifest.ts'
import { openMigration } from './open-migration.ts'
import { EventShow } from './show-events.ts'

interface WorkerOptions extends ManifestOptions, LimitOptions {
  readonly redis?: string
  readonly jobs?: number
  readonly untilDone?: true
}

export function workerCommand(terminal: Terminal): Command {
  const command = new Command('worker')
    .summary('copy what stowage migrate run --workers hands out')
    .description(
      'Take jobs of a migration from Redis and copy their objects, on this machine and any number of others. Stores and rules are those that the manifest remembers. SIGTERM gives jobs back; a worker that is killed loses them to another.',
    )
    .option('--redis <url>', 'Redis with the jobs (default: REDIS_URL, which may hold a password)')
    .option('--jobs <n>', 'jobs at once (default: 1; each copies many objects at once)', count)
    .option('--until-done', 'end when no job is left')
  withLimitOptions(withManifestOptions(command)).addHelpText(
    'after',
    `
Examples:
  stowage migrate worker --manifest rqlite://h1:4001,h2:4001 --redis redis://jobs:6379
  stowage migrate run supabase://files s3://bucket --manifest rqlite://h1:4001 --workers redis://jobs:6379`,
  )
  return withOutputOptions(command).action((options: WorkerOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal } = session
      const redis = redisUrl(terminal, options.redis)
      await openKnownManifest(session, options)
      const { options: made } = await openMigration(session, { from: undefined, to: undefined }, options)
      const { migrationJobs } = await import('../../../migrate/index.ts')
      const jobs = migrationJobs(made, { redis })
      const show = new EventShow(out)
      try {
        const report = await jobs.work({
          ...(options.jobs === undefined ? {} : { concurrency: options.jobs }),
          untilDone: options.untilDone === true,
          signal,
          onEvent: event => show.show(event),
          onFailure: ({ error }) => void out.fail(error),
        })
        out.progress.stop()
        const text = `${plural(report.jobs, 'job')} done, ${plural(report.copied, 'object')} copied, ${humanSize(report.copiedBytes)}`
        await out.result({ action: 'worker', ...report }, text)
        if (report.failed > 0) throw new Told(`${report.failed} failed`, EXIT.failed)
      } finally {
        await jobs.close()
      }
    }),
  )
}

/** The address of Redis, which may be told by the environment: a process list is no place for passwords. */
export function redisUrl({ env }: Terminal, given: string | undefined): string {
  const url = given ?? env.REDIS_URL
  if (!url) throw new UsageError('name the Redis of the jobs, as redis://127.0.0.1:6379, or set REDIS_URL')
  if (given !== undefined && /^rediss?:\/\/[^/]*@/.test(given))
    throw new UsageError('a user or a password belongs into REDIS_URL: others see command lines')
  return url
}
