/** An audit as one page that needs nothing else: for a person to look at, to mail and to keep. */
import { humanDate, humanSize, plural } from '../core/human-format.ts'
import { escaped, PAGE_STYLE } from '../core/report-page.ts'
import type { AuditReport } from './audit.ts'
import { type AuditFinding, FINDING_KINDS, FINDING_TEXT, type FindingKind } from './audit-finding.ts'

/** A whole page: no script, no request, light or dark as the reader's system is, as wide as the screen. */
export function auditHtml(report: AuditReport): string {
  const { tenant, root, clean, counts } = report
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const kinds = FINDING_KINDS.filter(kind => counts[kind] > 0)
  const place = root === '' ? 'the whole bucket' : root
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Audit of ${escaped(tenant)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>Audit of ${escaped(tenant)}</h1>
<p class="place"><code>${escaped(place)}</code> · ${humanDate(report.startedAt)} UTC · ${durationText(report)}</p>
<p class="verdict ${clean ? 'good' : 'bad'}">${clean ? '✓ Nothing is wrong' : `${plural(total, 'finding')}`}</p>
</header>
<main>
<dl class="facts">
${fact('Objects', report.objects.toLocaleString('en'))}
${fact('Stored', humanSize(report.bytes))}
${fact('Records', report.records.toLocaleString('en'))}
${fact('Jobs', report.jobs.toLocaleString('en'))}
${fact('Epoch', `${report.epoch}${report.confirmed ? ', confirmed' : ''}`)}
</dl>
${kinds.map(kind => section(kind, counts[kind], report.findings)).join('\n')}
</main>
</body>
</html>
`
}

function fact(name: string, value: string): string {
  return `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`
}

function section(kind: FindingKind, count: number, findings: readonly AuditFinding[]): string {
  const { title, advice } = FINDING_TEXT[kind]
  const listed = findings.filter(finding => finding.kind === kind)
  const rest = count - listed.length
  const items = listed.map(item).join('\n')
  return `<section>
<h2><span class="count">${count.toLocaleString('en')}</span> ${escaped(title)}</h2>
<p>${escaped(advice)}</p>
${listed.length === 0 ? '' : `<ul>\n${items}\n</ul>`}
${rest > 0 ? `<p class="rest">and ${rest.toLocaleString('en')} more that this report does not list</p>` : ''}
</section>`
}

/** The name that a person knows in bold, then what is said of it. */
function item(finding: AuditFinding): string {
  const name =
    'job' in finding
      ? finding.job.key || finding.job.physical
      : 'key' in finding
        ? finding.key
        : finding.physical
  return `<li><b>${escaped(name)}</b><span>${escaped(detail(finding))}</span></li>`
}

function detail(finding: AuditFinding): string {
  switch (finding.kind) {
    case 'bytes-missing':
      return `${finding.area === 'trash' ? 'deleted, can’t be restored · ' : ''}${finding.physical}`
    case 'hidden-without-job':
      return finding.physical
    case 'size-differs':
      return `recorded ${finding.recorded.toLocaleString('en')} bytes, stored ${finding.stored.toLocaleString('en')} · ${finding.physical}`
    case 'checksum-differs':
    case 'etag-differs':
      return `recorded ${finding.recorded}, stored ${finding.stored} · ${finding.physical}`
    case 'orphan':
    case 'foreign-object':
      return [
        humanSize(finding.size),
        finding.lastModified && `written ${humanDate(finding.lastModified)}`,
        finding.seenAt && `seen first ${humanDate(finding.seenAt)}`,
      ]
        .filter(Boolean)
        .join(' · ')
    case 'foreign-record-set':
      return 'its files are another database’s'
    case 'stale-intent':
      return `since ${humanDate(finding.createdAt)} · job ${finding.job.id}`
    case 'overdue-job':
      return `${finding.job.kind}, due ${humanDate(finding.dueAt)} · job ${finding.job.id}`
    case 'stuck-job':
      return [
        `${finding.job.kind}, ${plural(finding.attempts, 'attempt')}`,
        finding.error,
        `job ${finding.job.id}`,
      ]
        .filter(Boolean)
        .join(' · ')
    case 'unfinished-upload':
      return [finding.startedAt && `begun ${humanDate(finding.startedAt)}`, `upload ${finding.uploadId}`]
        .filter(Boolean)
        .join(' · ')
  }
}

function durationText({ startedAt, endedAt }: AuditReport): string {
  const seconds = Math.max(0, (endedAt.getTime() - startedAt.getTime()) / 1000)
  if (seconds < 90) return `${seconds.toFixed(1)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`
}
