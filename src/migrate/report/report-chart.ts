import { humanSize } from '../../core/human-format.ts'
import type { VerifyStatus } from '../manifest.ts'
import { VERIFY_STATUSES } from '../verify/verification-summary.ts'
import { SIZE_CLASSES, type SizeClass } from './report-figures.ts'

/** One object among a million must be seen: no share is narrower, in per cent of the bar. */
const LEAST_SHARE = 0.8
const COLUMN_HEIGHT = 130
/** For the numbers above a column. */
const HEAD = 20

/** One bar, a piece for each status, as wide as its share. */
export function shareBar(
  label: string,
  values: Readonly<Record<VerifyStatus, number>>,
  format: (value: number) => string,
): string {
  const present = VERIFY_STATUSES.filter(status => values[status] > 0)
  const total = present.reduce((sum, status) => sum + values[status], 0)
  const wide = present.map(status => Math.max(LEAST_SHARE, (100 * values[status]) / total))
  const scale = 100 / wide.reduce((sum, width) => sum + width, 0)
  let x = 0
  const pieces = present.map((status, index) => {
    const width = wide[index]! * scale
    const piece = `<rect class="${status}" x="${x.toFixed(3)}%" width="${width.toFixed(3)}%" height="26"><title>${status}: ${format(values[status])}</title></rect>`
    x += width
    return piece
  })
  const told = present.map(status => `${status} ${format(values[status])}`).join(', ') || 'none'
  return `<figure><figcaption>${label}</figcaption>
<svg class="share" role="img" aria-label="${label}: ${told}" width="100%" height="26"><rect class="none" width="100%" height="26"/>${pieces.join('')}</svg></figure>`
}

/** Which colour is which status, with what it stands for. */
export function legend(
  statuses: Readonly<Record<VerifyStatus, number>>,
  bytes: Readonly<Record<VerifyStatus, number>>,
): string {
  const present = [...VERIFY_STATUSES].reverse().filter(status => statuses[status] > 0)
  const items = present.map(
    status =>
      `<li><svg width="12" height="12" aria-hidden="true"><rect class="${status}" width="12" height="12" rx="3"/></svg> ${status} <b>${statuses[status].toLocaleString('en')}</b> ${humanSize(bytes[status])}</li>`,
  )
  return `<ul class="legend">${items.join('')}</ul>`
}

/** A column for each class of sizes; what does not match stands at its foot. */
export function sizeColumns(sizes: readonly SizeClass[]): string {
  const highest = Math.max(1, ...sizes.map(({ match, other }) => match + other))
  const step = 100 / sizes.length
  const height = (count: number) => (count === 0 ? 0 : Math.max(3, (COLUMN_HEIGHT * count) / highest))
  const foot = HEAD + COLUMN_HEIGHT
  const columns = sizes.map(({ match, other }, index) => {
    const x = `x="${(index * step + step * 0.14).toFixed(2)}%" width="${(step * 0.72).toFixed(2)}%"`
    const low = height(other)
    const high = Math.min(COLUMN_HEIGHT - low, height(match))
    const total = match + other
    const middle = `x="${((index + 0.5) * step).toFixed(2)}%"`
    const title = `<title>${sizeLabel(index)}: ${match.toLocaleString('en')} match, ${other.toLocaleString('en')} do not</title>`
    return [
      high > 0
        ? `<rect class="match" ${x} y="${(foot - low - high).toFixed(1)}" height="${high.toFixed(1)}">${title}</rect>`
        : '',
      low > 0
        ? `<rect class="differ" ${x} y="${(foot - low).toFixed(1)}" height="${low.toFixed(1)}">${title}</rect>`
        : '',
      total > 0 ? `<text ${middle} y="${(foot - low - high - 5).toFixed(1)}">${short(total)}</text>` : '',
      `<text class="axis" ${middle} y="${foot + 16}">${sizeLabel(index)}</text>`,
    ].join('')
  })
  return `<figure><figcaption>Objects by size</figcaption>
<svg class="sizes" role="img" aria-label="Objects by size: ${sizes.map(({ match, other }, index) => `${sizeLabel(index)} ${match + other}`).join(', ')}" width="100%" height="${foot + 22}"><rect class="line" y="${foot}" width="100%" height="1"/>${columns.join('')}</svg></figure>`
}

function sizeLabel(index: number): string {
  const end = SIZE_CLASSES[index]
  return end === undefined ? 'more' : `&lt;${humanSize(end).replace('.0', '')}`
}

/** `12,345` as `12k`: there is no room for more above a column. */
function short(count: number): string {
  if (count < 10_000) return count.toLocaleString('en')
  return count < 999_500 ? `${Math.round(count / 1000)}k` : `${(count / 1e6).toFixed(1)}M`
}
