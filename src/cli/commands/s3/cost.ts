import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import type { ListEntry } from '../../../core/results.ts'
import { type CostEstimate, estimateCost, priceTable } from '../../../lifecycle/index.ts'
import { UsageError } from '../../exit-codes.ts'
import { inSession, type Session, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { costText } from './cost-text.ts'
import { bucketUrl, readJson, readPolicy } from './open-bucket.ts'

interface CostOptions {
  policy?: string
  prices?: string
  listing?: string
}

export function costCommand(terminal: Terminal): Command {
  const command = new Command('cost')
    .summary('estimate what keeping a bucket costs')
    .description(
      'Estimate from a list what a bucket costs a month, by storage class and age; with a policy also what it would cost then. Requests of applications and traffic are not part of it.',
    )
    .argument('<store>', 'URL of the bucket, or of any other store: as if it were on S3')
    .option('--policy <file>', 'a lifecycle policy: JSON, or a module that exports it (.js)')
    .option('--prices <file>', 'prices of your own as JSON (default: AWS in us-east-1)')
    .option('--listing <file>', 'a list instead of the store: what stowage ls -r --json printed')
    .addHelpText(
      'after',
      `
Examples:
  stowage s3 cost s3://bucket
  stowage s3 cost s3://bucket --policy policy.json --prices frankfurt.json
  stowage ls -r --json s3://bucket > list.jsonl && stowage s3 cost s3://bucket --listing list.jsonl --policy policy.json`,
    )
  return withOutputOptions(command).action((url: string, options: CostOptions) =>
    inSession(terminal, command, async session => {
      const { policy, prices } = options
      const estimate = await estimateCost(
        options.listing === undefined ? await listOf(session, url) : listing(options.listing),
        {
          ...(policy === undefined ? {} : { policy: await readPolicy(policy) }),
          ...(prices === undefined ? {} : { prices: priceTable(await readJson(prices, 'price table')) }),
        },
      )
      session.out.progress.stop()
      await session.out.result(shown(estimate), costText(estimate))
    }),
  )
}

function shown(estimate: CostEstimate): object {
  return { action: 'cost', ...estimate }
}

/** Whole keys, as the policy has them. */
async function listOf({ open, out, signal }: Session, url: string): Promise<AsyncIterable<ListEntry>> {
  const { bucket, prefix } = bucketUrl(url)
  const files = await open(bucket)
  return counted(files.list({ prefix, signal }), objects => out.progress.count(objects, objects, 'objects'))
}

async function* counted(
  list: AsyncIterable<ListEntry>,
  tell: (objects: number) => void,
): AsyncGenerator<ListEntry> {
  let objects = 0
  for await (const entry of list) {
    if (++objects % 1000 === 0) tell(objects)
    yield entry
  }
}

async function* listing(path: string): AsyncGenerator<ListEntry> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path) })) {
    number++
    if (line.trim() !== '') yield entryOf(line, `${path}:${number}`)
  }
}

function entryOf(line: string, place: string): ListEntry {
  try {
    const { lastModified, ...entry } = JSON.parse(line)
    if (entry.kind === 'prefix') return entry
    if (typeof entry.key === 'string' && typeof entry.size === 'number')
      return { ...entry, kind: 'object', ...(lastModified && { lastModified: new Date(lastModified) }) }
  } catch {
    // Told below.
  }
  throw new UsageError(`${place}: this is no line of stowage ls -r --json`)
}
