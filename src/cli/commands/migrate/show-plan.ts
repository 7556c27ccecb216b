import type { MigrationPlan } from '../../../migrate/index.ts'
import { EXIT, Told } from '../../exit-codes.ts'
import { humanSize, plural, printable } from '../../human-format.ts'
import type { Output } from '../../output.ts'
import { table } from '../../table.ts'
import type { OpenedMigration } from './open-migration.ts'
import { noteEmptySource } from './show-counts.ts'

/** Ends a command whose result is a plan. @throws where something in it needs a look */
export async function tellPlan(
  out: Output,
  { manifest, from, options: { prefix } }: OpenedMigration,
  plan: MigrationPlan,
  more: object = {},
): Promise<void> {
  await out.result({ action: 'plan', ...more, ...plan }, planText(plan))
  const isEmpty = await noteEmptySource(out, manifest, plan, { from, prefix })
  if (isEmpty) throw new Told('the source is empty', EXIT.found)
  if (plan.refusals.total > 0) throw new Told('something is refused', EXIT.found)
}

/** A plan as people read it. */
export function planText(plan: MigrationPlan): string {
  const { toCopy, copied, leftOut, refusals, requests } = plan
  const amount = ({ objects, bytes }: { objects: number; bytes: number }) => [
    objects.toLocaleString('en'),
    humanSize(bytes),
  ]
  const lines = [
    table(
      ['', 'objects', 'bytes'],
      [
        ['at the source', ...amount(plan)],
        ['to copy', ...amount(toCopy)],
        ['copied already', ...amount(copied)],
        ['left out', ...amount(leftOut)],
        ['refused', refusals.total.toLocaleString('en')],
      ],
    ),
    requestsText(requests),
  ]
  for (const { sourceKey, destinationKey, message } of refusals.first)
    lines.push(`refused: ${printable(sourceKey)} -> ${printable(destinationKey)}: ${printable(message)}`)
  const rest = refusals.total - refusals.first.length
  if (rest > 0)
    lines.push(`and ${rest.toLocaleString('en')} more; stowage migrate report --jsonl lists them all`)
  return lines.join('\n')
}

function requestsText({ lists, gets, puts, cost }: MigrationPlan['requests']): string {
  const price =
    cost.total === 0
      ? ''
      : `; about ${dollars(cost.requests)}, and ${dollars(cost.traffic)} for traffic out of the source (${cost.prices})`
  return `requests: ${plural(lists, 'list')}, ${gets.toLocaleString('en')} GET, ${puts.toLocaleString('en')} PUT${price}`
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`
}
