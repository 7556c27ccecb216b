import type { BucketCost, CostEstimate, PolicyCost } from '../../../lifecycle/index.ts'
import { humanSize, plural } from '../../human-format.ts'
import { table } from '../../table.ts'

/** An estimate for people. */
export function costText(estimate: CostEstimate): string {
  const { prices, objects, bytes, before, ages, after } = estimate
  const parts = [
    `${plural(objects, 'object')}, ${humanSize(bytes)}: ${dollars(before.monthly)} a month`,
    classesText(before),
    table(
      ['age in days', 'objects', 'size', 'a month'],
      ages.map(age => [
        age.untilDays === undefined ? `from ${age.fromDays}` : `${age.fromDays}–${age.untilDays - 1}`,
        age.objects.toLocaleString('en'),
        humanSize(age.bytes),
        dollars(age.monthly),
      ]),
    ),
  ]
  if (after !== undefined) parts.push(afterText(after), classesText(after))
  parts.push(`Prices: ${prices.name}. They change: compare ${prices.source}`)
  return parts.join('\n\n')
}

function afterText(after: BucketCost & PolicyCost): string {
  const { monthly, savedMonthly, savedShare, moved, expired, transitions, earlyRemoval } = after
  const share = `${Math.abs(savedShare * 100).toFixed(1)} % ${savedMonthly < 0 ? 'more' : 'less'}`
  const once = transitions + earlyRemoval
  const lines = [
    `With the policy: ${dollars(monthly)} a month, ${share}`,
    `  moved     ${plural(moved.objects, 'object')}, ${humanSize(moved.bytes)}`,
    `  deleted   ${plural(expired.objects, 'object')}, ${humanSize(expired.bytes)}`,
    `  once      ${dollars(once)}: ${dollars(transitions)} for moving, ${dollars(earlyRemoval)} for what leaves a class early${paidOff(after)}`,
  ]
  if (after.retrievalOfAll > 0)
    lines.push(`  reading   ${dollars(after.retrievalOfAll)} to read all that was moved, once`)
  return lines.join('\n')
}

function paidOff({ paidOffAfterMonths: months, transitions, earlyRemoval }: PolicyCost): string {
  if (transitions + earlyRemoval === 0) return ''
  return months === undefined ? '; it never pays off' : `; paid off after ${months.toFixed(1)} months`
}

function classesText({ classes }: BucketCost): string {
  return table(
    ['class', 'objects', 'size', 'billed', 'a month'],
    [...classes]
      .sort((a, b) => b.storage + b.monitoring - a.storage - a.monitoring)
      .map(one => [
        one.storageClass,
        one.objects.toLocaleString('en'),
        humanSize(one.bytes),
        humanSize(one.billedBytes),
        dollars(one.storage + one.monitoring),
      ]),
  )
}

/** Small sums with the digits that tell them apart. */
function dollars(amount: number): string {
  const digits = Math.abs(amount) >= 1 || amount === 0 ? 2 : 4
  return `$${amount.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`
}
