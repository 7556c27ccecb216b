import { Command } from 'commander'
import { applyLifecycle, type LifecyclePlan, planLifecycle } from '../../../lifecycle/index.ts'
import type { RecordedFiles } from '../../../records/index.ts'
import { count } from '../../argument-values.ts'
import { EXIT, Told, UsageError } from '../../exit-codes.ts'
import { plural } from '../../human-format.ts'
import type { Output } from '../../output.ts'
import {
  inSession,
  type RecordsLocation,
  type Session,
  withOutputOptions,
  withRecordsOptions,
} from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { checkBucket } from './check-bucket.ts'
import { bucketUrl, readPolicy, withBucketLifecycle } from './open-bucket.ts'
import { ruleText } from './rule-text.ts'

interface LifecycleOptions extends RecordsLocation {
  policy: string
  acceptWarnings?: true
}

export function lifecycleCommand(terminal: Terminal): Command {
  return new Command('lifecycle')
    .summary('plan, apply and check lifecycle rules')
    .description('Lifecycle rules of a bucket from a policy. Rules of others are left as they are.')
    .usage('<command>')
    .addCommand(planCommand(terminal))
    .addCommand(applyCommand(terminal))
    .addCommand(checkCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  stowage s3 lifecycle plan s3://bucket --policy policy.json
  stowage s3 lifecycle apply s3://bucket --policy policy.json
  stowage s3 lifecycle check s3://bucket --policy policy.json`,
    )
}

function planCommand(terminal: Terminal): Command {
  const command = new Command('plan').description(
    'Show what a policy would change in the rules of a bucket, and what would be deleted soon. Changes nothing.',
  )
  return ofPolicy(command).action((url: string, options: LifecycleOptions) =>
    inSession(terminal, command, session =>
      withBucketLifecycle(terminal, url, async lifecycle => {
        const given = await seen(session, url, options)
        const plan = await planLifecycle(lifecycle, await readPolicy(options.policy), given)
        await show(session.out, plan)
      }),
    ),
  )
}

function applyCommand(terminal: Terminal): Command {
  const command = new Command('apply')
    .description(
      'Show what a policy changes, write it, and read it back. Ends with 7, and writes nothing, where files with records would be deleted, or the whole bucket.',
    )
    .option('--accept-warnings', 'write it all the same')
  return ofPolicy(command).action((url: string, options: LifecycleOptions) =>
    inSession(terminal, command, session =>
      withBucketLifecycle(terminal, url, async lifecycle => {
        const { out, signal } = session
        const given = await seen(session, url, options)
        const plan = await planLifecycle(lifecycle, await readPolicy(options.policy), given)
        await show(out, plan)
        if (plan.unchanged) return
        const grave = plan.warnings.filter(({ kind }) => kind === 'record-set' || kind === 'whole-bucket')
        if (grave.length > 0 && !options.acceptWarnings) {
          out.note('nothing was written; --accept-warnings writes it all the same')
          throw new Told('warnings', EXIT.stopped)
        }
        const { rules } = await applyLifecycle(lifecycle, plan, { signal })
        await out.done(
          { action: 'apply', bucket: plan.bucket, rules },
          `the bucket has ${plural(rules.length, 'rule')} now`,
        )
      }),
    ),
  )
}

function checkCommand(terminal: Terminal): Command {
  const command = new Command('check')
    .description(
      'Whether a bucket has the rules of a policy and they have done their work: objects that should be gone or moved, uploads that should have ended. Ends with 6 where they have not.',
    )
    .option('--limit <n>', 'findings that are listed; all are counted (default: 100)', count)
    .option('--grace <days>', 'days that S3 may be late (default: 3)', count)
  return ofPolicy(command, false).action(
    (url: string, { policy, limit, grace }: LifecycleOptions & { limit?: number; grace?: number }) =>
      inSession(terminal, command, async session => {
        if (!(await checkBucket(session, url, policy, { limit, graceDays: grace })))
          throw new Told('something was found', EXIT.found)
      }),
  )
}

function ofPolicy(command: Command, records = true): Command {
  command
    .argument('<bucket>', 'URL of the bucket, as s3://bucket')
    .requiredOption('--policy <file>', 'the policy: JSON, or a module that exports it (.js)')
  if (records) withRecordsOptions(command)
  return withOutputOptions(command)
}

/** What the plan looks at beside the rules. */
async function seen(session: Session, url: string, options: LifecycleOptions) {
  const { bucket, prefix } = bucketUrl(url)
  if (prefix !== '')
    throw new UsageError(`rules are of a whole bucket: name ${bucket} and put '${prefix}' into the policy`)
  const files = await session.open(bucket)
  const { records, tenant, root } = options
  const named = [records, tenant, root].some(value => value !== undefined)
  const recorded = named ? await session.openRecords(bucket, options) : undefined
  return { files, signal: session.signal, ...(recorded && { liveKeys: physicalKeys(recorded) }) }
}

async function* physicalKeys(files: RecordedFiles): AsyncGenerator<string> {
  for await (const entries of files.list().pages())
    yield* await Promise.all(
      entries.flatMap(entry => (entry.kind === 'object' ? [files.physicalKey(entry.key)] : [])),
    )
}

async function show(out: Output, plan: LifecyclePlan): Promise<void> {
  const { added, changed, removed, kept, foreign, warnings, bucket, unchanged } = plan
  const changes = [
    ...added.map(rule => ({ change: 'add', rule, sign: '+' })),
    ...changed.map(({ before, after }) => ({ change: 'change', rule: after, before, sign: '~' })),
    ...removed.map(rule => ({ change: 'remove', rule, sign: '-' })),
    ...kept.map(rule => ({ change: 'keep', rule, sign: '=' })),
    ...foreign.map(rule => ({ change: 'foreign', rule, sign: ' ' })),
  ]
  for (const { sign, ...change } of changes) {
    const { rule, before } = change as { rule: (typeof added)[number]; before?: (typeof added)[number] }
    const name = `${sign} ${rule.ID}${sign === ' ' ? ' (not ours, stays)' : ''}`
    const now = before === undefined ? '' : `\n    now: ${ruleText(before)}`
    await out.result(change, `${name}\n    ${ruleText(rule)}${now}`)
  }
  for (const warning of warnings) await out.result({ warning }, `! ${warning.message}`)
  const counts = {
    add: added.length,
    change: changed.length,
    remove: removed.length,
    keep: kept.length,
    foreign: foreign.length,
  }
  const text = unchanged
    ? `${bucket} has the rules of the policy`
    : `${bucket}: ${counts.add} to add, ${counts.change} to change, ${counts.remove} to remove, ${counts.keep} stay; ${counts.foreign} of others`
  await out.result({ action: 'plan', bucket, unchanged, ...counts, warnings: warnings.length }, text)
}
