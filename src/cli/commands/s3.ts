import { Command } from 'commander'
import type { Terminal } from '../terminal.ts'
import { costCommand } from './s3/cost.ts'
import { lifecycleCommand } from './s3/lifecycle.ts'

export function s3Command(terminal: Terminal): Command {
  return new Command('s3')
    .summary('lifecycle rules and costs of S3 buckets')
    .description('Lifecycle rules of a bucket from a policy, and what a bucket costs.')
    .usage('<command>')
    .addCommand(lifecycleCommand(terminal))
    .addCommand(costCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  stowage s3 lifecycle plan s3://bucket --policy policy.json
  stowage s3 lifecycle apply s3://bucket --policy policy.json
  stowage s3 cost s3://bucket --policy policy.json`,
    )
}
