import { checkLifecycle, type LifecycleFinding } from '../../../lifecycle/index.ts'
import { humanSize, plural, printable } from '../../human-format.ts'
import type { Session } from '../../session.ts'
import { bucketUrl, readPolicy, withBucketLifecycle } from './open-bucket.ts'

/** Checks the bucket of a store against a policy and tells what was found. @returns whether nothing was */
export async function checkBucket(
  session: Session,
  url: string,
  policyFile: string,
  options: { readonly limit: number | undefined; readonly graceDays?: number | undefined },
): Promise<boolean> {
  const { out, signal, terminal } = session
  const { bucket } = bucketUrl(url)
  const policy = await readPolicy(policyFile)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return withBucketLifecycle(terminal, bucket, async lifecycle => {
    const report = await checkLifecycle(lifecycle, await session.open(bucket), policy, { ...given, signal })
    const { findings, counts, objects, clean, foreign } = report
    for (const finding of findings) await out.result({ finding }, told(finding))
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const more = total > findings.length ? `\n… ${total - findings.length} more` : ''
    const text = clean
      ? `${report.bucket} has the rules of the policy, and they have done their work: ${plural(objects, 'object')}`
      : `${report.bucket}: ${plural(total, 'finding')} in ${plural(objects, 'object')}${more}`
    await out.result(
      { action: 'lifecycle', bucket: report.bucket, objects, counts, clean, foreign: foreign.length },
      text,
    )
    return clean
  })
}

function told(finding: LifecycleFinding): string {
  switch (finding.kind) {
    case 'rule-missing':
      return `${finding.rule.ID}: the bucket does not have this rule; apply the policy`
    case 'rule-differs':
      return `${finding.rule.ID}: the bucket has another rule of this name; apply the policy`
    case 'rule-left':
      return `${finding.present.ID}: the policy does not have this rule any more; apply the policy`
    case 'not-expired':
      return `${printable(finding.key)}  ${humanSize(finding.size)}, ${finding.ageDays} days old: should be gone after ${finding.afterDays}`
    case 'not-moved':
      return `${printable(finding.key)}  ${humanSize(finding.size)}, ${finding.ageDays} days old: is in ${finding.storageClass}, should be in ${finding.expected}`
    case 'not-aborted':
      return `${printable(finding.key)}  an upload that was left ${finding.ageDays} days ago: its parts cost space (${printable(finding.uploadId)})`
  }
}
