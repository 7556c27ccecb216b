import type { MigrationPlan } from '../../../migrate/index.ts'
import { humanSize, plural, printable } from '../../human-format.ts'
import { table } from '../../table.ts'

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
    `requests: ${plural(requests.lists, 'list')}, ${requests.gets.toLocaleString('en')} GET, ${requests.puts.toLocaleString('en')} PUT; about ${dollars(requests.cost.requests)}, and ${dollars(requests.cost.traffic)} for traffic out of the source (${requests.cost.prices})`,
  ]
  for (const { sourceKey, destinationKey, message } of refusals.first)
    lines.push(`refused: ${printable(sourceKey)} -> ${printable(destinationKey)}: ${printable(message)}`)
  const rest = refusals.total - refusals.first.length
  if (rest > 0)
    lines.push(`and ${rest.toLocaleString('en')} more; stowage migrate report --jsonl lists them all`)
  return lines.join('\n')
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`
}
