import { Command } from 'commander'
import type { MigrateOptions, MigrationResult } from '../../../migrate/index.ts'
import { EXIT, Told } from '../../exit-codes.ts'
import { humanSize, plural, printable } from '../../human-format.ts'
import type { Output } from '../../output.ts'
import { inSession, type Session, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { withExistingOption, withLevelOption, withLimitOptions } from './limit-options.ts'
import { withManifestOptions } from './open-manifest.ts'
import { type MigrationOptions, type OpenedMigration, openMigration } from './open-migration.ts'
import { withRuleOptions } from './rule-options.ts'
import { noteEmptySource, noteProblems, statusTable } from './show-counts.ts'
import { EventShow } from './show-events.ts'
import { tellPlan } from './show-plan.ts'
import { redisUrl } from './worker.ts'

interface RunOptions extends MigrationOptions {
  readonly dryRun?: true
  readonly workers?: string | true
  readonly repair?: true
  readonly beside?: true
}

export function runCommand(terminal: Terminal): Command {
  const command = new Command('run')
    .summary('plan, copy and verify; again after whatever ended it')
    .description(
      'Plan, copy and verify. Run again after whatever ended it: it goes on where it was, and copies what has changed at the source since. Ends with 0 only where every object is at the destination and matches.',
    )
    .argument('[from]', 'URL of the store that is left; not needed where the manifest knows it')
    .argument('[to]', 'URL of the store that is moved to')
  withLimitOptions(withLevelOption(withManifestOptions(withExistingOption(withRuleOptions(command)))))
    .option('--workers [redis]', 'let stowage migrate worker copy, on any machines; default: REDIS_URL')
    .option('--repair', 'copy again what verification finds to differ, and verify it again')
    .option('--beside', 'also where another run is at this migration: much is copied twice then')
    .option('-n, --dry-run', 'plan, and name what would be copied')
    .addHelpText(
      'after',
      `
Examples:
  stowage migrate run file:./data s3://bucket
  stowage migrate run
  stowage migrate run supabase://files s3://bucket --cache-control 'public, max-age=31536000' --bandwidth 20MB
  stowage migrate run --repair --level content
  stowage migrate run s3://old s3://new --manifest rqlite://h1:4001 --level content --json`,
    )
  return withOutputOptions(command).action(
    (from: string | undefined, to: string | undefined, options: RunOptions) =>
      inSession(terminal, command, async session => {
        const { repair = false, beside = false, workers } = options
        const redis = workers && redisUrl(terminal, workers === true ? undefined : workers)
        const opened = await openMigration(session, { from, to }, options)
        if (options.dryRun) return dryRun(session, opened)
        const made = { ...opened.options, repair, beside }
        const show = new EventShow(session.out)
        const result = redis ? await onWorkers(session, made, redis, show) : await whole(session, made, show)
        await tellResult(session.out, opened, result, show)
      }),
  )
}

async function whole(
  { out, signal }: Session,
  made: MigrateOptions,
  show: EventShow,
): Promise<MigrationResult> {
  const { migrate } = await import('../../../migrate/index.ts')
  let result: MigrationResult | undefined
  try {
    for await (const event of migrate(made)) {
      if (event.kind === 'done') result = event.result
      else await show.show(event)
    }
  } catch (error) {
    out.progress.stop()
    if (signal.aborted) out.note('ended; what is copied is written down, and stowage migrate run goes on')
    throw error
  }
  out.progress.stop()
  return result!
}

/** Plans and verifies here, and follows what the workers copy. */
async function onWorkers(
  { out, signal }: Session,
  made: MigrateOptions,
  redis: string,
  show: EventShow,
): Promise<MigrationResult> {
  const { migrationJobs, runOnWorkers } = await import('../../../migrate/index.ts')
  const jobs = migrationJobs(made, { redis })
  try {
    return await runOnWorkers(made, jobs, {
      signal,
      onEvent: event => (event.kind === 'done' ? undefined : show.show(event)),
      onProgress: ({ copiedBytes, copiedObjects, totalBytes, totalObjects }) =>
        out.progress.reach(
          { bytes: copiedBytes, files: copiedObjects },
          { bytes: totalBytes, files: totalObjects },
        ),
    })
  } finally {
    out.progress.stop()
    await jobs.close()
  }
}

async function tellResult(
  out: Output,
  { manifest, from, options: { prefix } }: OpenedMigration,
  result: MigrationResult,
  { plan }: EventShow,
): Promise<void> {
  const { complete, copied, copiedBytes, failed, refused, statuses, seconds } = result
  const rate = copiedBytes > 0 ? `, ${humanSize(copiedBytes / Math.max(seconds, 0.001))}/s` : ''
  await out.result(
    { action: 'run', ...result },
    `${plural(copied, 'object')} copied, ${humanSize(copiedBytes)} in ${seconds.toFixed(1)} s${rate}\n${statusTable(statuses)}`,
  )
  if (complete) {
    if (plan === undefined || !(await noteEmptySource(out, manifest, plan, { from, prefix }))) return
    throw new Told('the source is empty', EXIT.found)
  }
  await noteProblems(out, manifest, statuses)
  if (failed > 0) throw new Told(`${failed} failed`, EXIT.failed)
  throw new Told(refused > 0 ? 'something is refused' : 'not everything matches', EXIT.found)
}

async function dryRun({ out, signal }: Session, opened: OpenedMigration): Promise<void> {
  const { migrate } = await import('../../../migrate/index.ts')
  const show = new EventShow(out)
  const steps = migrate(opened.options).plan({ signal })
  for await (const event of steps) if (event.kind !== 'planned') await show.show(event)
  const plan = await steps
  out.progress.stop()
  for await (const { sourceKey, destinationKey, size } of opened.manifest.rows({
    states: ['planned', 'failed'],
  }))
    await out.result(
      { action: 'run', dryRun: true, from: sourceKey, key: destinationKey, size },
      `would copy ${printable(sourceKey)} -> ${printable(destinationKey)}  ${humanSize(size)}`,
    )
  await tellPlan(out, opened, plan, { dryRun: true })
}
