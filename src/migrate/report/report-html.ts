/** A migration as one page that needs nothing else: for a person to look at, to mail and to keep. */
import { humanDate, humanSize, plural } from '../../core/human-format.ts'
import { escaped } from '../../core/report-page.ts'
import type { Manifest, VerifyStatus } from '../manifest.ts'
import { strayReason } from '../verify/strays.ts'
import { isEmptied, VERIFY_STATUSES } from '../verify/verification-summary.ts'
import { lostAttributes } from './lost-attributes.ts'
import { legend, shareBar, sizeColumns } from './report-chart.ts'
import type { ReportEntry } from './report-entry.ts'
import { type ReportFigures, reportFigures } from './report-figures.ts'
import { REPORT_STYLE } from './report-style.ts'

export interface ReportHtmlOptions {
  /** How the two stores are called on the page. */
  from?: string
  to?: string
  /** Objects that are listed of each status; all are counted. Default 200. */
  first?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
}

const TITLES: Record<VerifyStatus, { title: string; advice: string }> = {
  differ: {
    title: 'Not the same on both sides',
    advice:
      'The destination has other bytes or attributes than were copied, or the source has changed since. Run again to copy what has changed; a copy whose bytes are wrong is not replaced before it is deleted.',
  },
  'missing-destination': {
    title: 'Missing at the destination',
    advice: 'Not copied yet, or removed since. Run again to copy them.',
  },
  'missing-source': {
    title: 'At the destination only',
    advice:
      'Deleted at the source since they were copied, or put there by another hand. Nothing here removes them.',
  },
  error: { title: 'Could not be looked at', advice: 'The store did not answer as it should. Verify again.' },
  unverified: {
    title: 'Not verified',
    advice:
      'Not looked at yet, or the destination can’t prove what it holds at this level. Verify with level content.',
  },
  match: { title: 'The same on both sides', advice: '' },
}

/**
 * One page about a migration: counts, charts, and the first objects of each status that is no match. No script, no
 * request, light or dark as the reader's system is. Reads the manifest once and holds what it lists.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 *
 * const manifest = await openManifest(sqlite({ path: './migration.db' }), 'default')
 * await writeFile('report.html', await reportHtml(manifest, { from: 's3://old', to: 's3://new' }))
 * ```
 */
export async function reportHtml(manifest: Manifest, options: ReportHtmlOptions = {}): Promise<string> {
  const { from, to, first = 200, now = Date.now } = options
  const figures = await reportFigures(manifest, first)
  const { complete, counts, statuses, bytes } = figures
  const lost = Object.entries(await lostAttributes(manifest))
  const open = VERIFY_STATUSES.reduce((sum, status) => sum + (status === 'match' ? 0 : statuses[status]), 0)
  const places = [from, to]
    .filter(place => place !== undefined)
    .map(place => `<code>${escaped(place)}</code>`)
  const name = manifest.name === 'default' ? 'Migration' : `Migration ${manifest.name}`
  const all = (values: Readonly<Record<VerifyStatus, number>>) =>
    VERIFY_STATUSES.reduce((sum, status) => sum + values[status], 0)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(name)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(name)}</h1>
<p class="place">${[places.join(' → '), `${humanDate(new Date(now()))} UTC`].filter(Boolean).join(' · ')}</p>
<p class="verdict ${complete ? 'good' : 'bad'}">${verdict(figures, open)}</p>
</header>
<main>
<dl class="facts">
${fact('Objects', all(statuses).toLocaleString('en'))}
${fact('Stored', humanSize(all(bytes)))}
${fact('Copied', counts.byState.copied.objects.toLocaleString('en'))}
${fact('To copy', counts.byState.planned.objects.toLocaleString('en'))}
${fact('Failed', counts.byState.failed.objects.toLocaleString('en'))}
${fact('Refused', counts.byState.refused.objects.toLocaleString('en'))}
</dl>
<section class="charts">
${shareBar('Objects', statuses, value => value.toLocaleString('en'))}
${shareBar('Bytes', bytes, humanSize)}
${legend(statuses, bytes)}
${sizeColumns(figures.sizes)}
</section>
${VERIFY_STATUSES.filter(status => status !== 'match' && statuses[status] > 0)
  .map(status => section(status, figures))
  .join('\n')}
${lost.length === 0 ? '' : lostSection(lost)}
</main>
</body>
</html>
`
}

function verdict({ complete, counts }: ReportFigures, open: number): string {
  if (complete) return '✓ Everything matches'
  if (open > 0) return `${plural(open, 'object')} to look at`
  return isEmptied(counts) ? 'The source has none of its objects any more' : 'Not everything is copied'
}

function fact(name: string, value: string): string {
  return `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`
}

function section(status: VerifyStatus, { statuses, first }: ReportFigures): string {
  const { title, advice } = TITLES[status]
  const count = statuses[status]
  const rest = count - first[status].length
  return `<section>
<h2><span class="count">${count.toLocaleString('en')}</span> ${title} <code>${status}</code></h2>
<p>${advice}</p>
<ul>
${first[status].map(item).join('\n')}
</ul>
${rest > 0 ? `<p class="rest">and ${rest.toLocaleString('en')} more that this page does not list</p>` : ''}
</section>`
}

function lostSection(lost: readonly (readonly [name: string, key: string])[]): string {
  return `<section>
<h2>Attributes that the destination can’t keep</h2>
<p>They were left out. What is verified is what was sent.</p>
<ul>
${lost.map(([name, key]) => line(name, [`first of ${key}`])).join('\n')}
</ul>
</section>`
}

/** The key that a person knows in bold, then what is said of it. */
function item(entry: ReportEntry): string {
  const { row } = entry
  if (row === undefined) {
    return line(entry.stray.key, [humanSize(entry.size), strayReason(entry.stray)])
  }
  return line(row.sourceKey, [
    row.destinationKey === row.sourceKey ? undefined : `→ ${row.destinationKey}`,
    humanSize(row.size),
    row.state === 'copied' ? undefined : row.state,
    row.errorMessage ?? row.errorCode,
  ])
}

function line(name: string, said: readonly (string | undefined)[]): string {
  return `<li><b>${escaped(name)}</b><span>${escaped(said.filter(Boolean).join(' · '))}</span></li>`
}
