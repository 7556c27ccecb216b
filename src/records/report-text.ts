/** Reports for people who read them in a terminal or a log. */
import { humanDate, humanSize, plural, printable } from '../core/human-format.ts'
import type { AuditReport } from './audit.ts'
import { type AuditFinding, FINDING_KINDS, FINDING_TEXT, type FindingKind } from './audit-finding.ts'
import type { CollectReport } from './collect.ts'

/** An audit as text: what was looked at, then what was found, by kind, with what to do about it. */
export function auditText(report: AuditReport): string {
  const { objects, bytes, records, jobs } = report
  const lines = [
    `audited ${nameOf(report)}: ${plural(objects, 'object')}, ${humanSize(bytes)}, ${plural(records, 'record')}, ${plural(jobs, 'job')}`,
  ]
  const total = Object.values(report.counts).reduce((sum, count) => sum + count, 0)
  if (report.clean) lines.push('nothing is wrong')
  else lines.push(...findingLines(report.counts, report.findings, total))
  if (report.confirmed) lines.push(`confirmed: collect may go on in epoch ${report.epoch}`)
  return lines.join('\n')
}

/** What `collect` did or would do. */
export function collectText(report: CollectReport): string {
  const { orphans, orphanBytes, waiting, foreign, unfinished, removed, pending, endedUploads, stopped } =
    report
  const lines = [
    `looked at ${nameOf(report)}: ${plural(report.objects, 'object')}, ${humanSize(report.bytes)}`,
    `${plural(orphans, 'orphan')}, ${humanSize(orphanBytes)}${orphans > 0 ? ':' : ''}`,
    ...report.findings.map(finding => `  ${findingText(finding)}`),
  ]
  const listed = orphans + unfinished - report.findings.length
  if (listed > 0) lines.push(`  and ${listed.toLocaleString('en')} more`)
  if (unfinished > 0) lines.push(plural(unfinished, 'unfinished upload'))
  if (waiting > 0)
    lines.push(
      `${waiting.toLocaleString('en')} more that a later run will look at again, when they have been orphans for the grace`,
    )
  if (foreign > 0) lines.push(`${plural(foreign, 'object')} not of our form, which stay`)
  if (stopped !== undefined) lines.push(`stopped: ${stopped.message}`)
  else if (report.applied) {
    lines.push(`removed ${plural(removed, 'object')} by way of quarantine`)
    if (endedUploads > 0) lines.push(`ended ${plural(endedUploads, 'unfinished upload')}`)
    if (pending > 0) lines.push(`${pending} that the store did not let go of; a worker goes on`)
  } else if (orphans + unfinished > 0) lines.push('this was a dry run: nothing was removed')
  return lines.join('\n')
}

function findingLines(
  counts: Readonly<Record<FindingKind, number>>,
  findings: readonly AuditFinding[],
  total: number,
): string[] {
  const lines: string[] = []
  for (const kind of FINDING_KINDS) {
    const count = counts[kind]
    if (count === 0) continue
    const { title, advice } = FINDING_TEXT[kind]
    lines.push('', `${title}: ${count.toLocaleString('en')}`, `  ${advice}`)
    const listed = findings.filter(finding => finding.kind === kind)
    for (const finding of listed) lines.push(`  - ${findingText(finding)}`)
    if (listed.length < count) lines.push(`  … ${(count - listed.length).toLocaleString('en')} more`)
  }
  return [...lines, '', `${plural(total, 'finding')}`]
}

/** One finding in one line, without its kind. */
export function findingText(finding: AuditFinding): string {
  switch (finding.kind) {
    case 'orphan':
    case 'foreign-object':
      return [printable(finding.physical), humanSize(finding.size), humanDate(finding.lastModified)]
        .filter(Boolean)
        .join('  ')
    case 'foreign-record-set':
      return printable(finding.physical)
    case 'bytes-missing':
    case 'hidden-without-job':
      return recordedText(finding)
    case 'size-differs':
      return `${recordedText(finding)}  recorded ${finding.recorded} bytes, stored ${finding.stored}`
    case 'checksum-differs':
    case 'etag-differs':
      return `${recordedText(finding)}  recorded ${printable(finding.recorded)}, stored ${printable(finding.stored)}`
    case 'stale-intent':
      return `${jobText(finding.job)}  since ${humanDate(finding.createdAt)}`
    case 'overdue-job':
      return `${jobText(finding.job)}  due ${humanDate(finding.dueAt)}`
    case 'stuck-job':
      return `${jobText(finding.job)}  ${plural(finding.attempts, 'attempt')}  ${printable(finding.error ?? '')}`.trimEnd()
    case 'unfinished-upload':
      return [printable(finding.physical), printable(finding.uploadId), humanDate(finding.startedAt)]
        .filter(Boolean)
        .join('  ')
  }
}

function recordedText({ key, physical }: { key: string; physical: string }): string {
  return `${printable(key)}  (${printable(physical)})`
}

function jobText({
  id,
  kind,
  key,
  physical,
}: {
  id: string
  kind: string
  key: string
  physical: string
}): string {
  return `${kind} ${printable(id)}  ${printable(key || physical)}`
}

function nameOf({ tenant, root }: { tenant: string; root: string }): string {
  return `${tenant} (${root === '' ? 'the whole bucket' : printable(root)})`
}
