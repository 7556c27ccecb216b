import { describe, expect, it } from 'vitest'
import { type AuditReport, auditHtml, auditText, collectText } from '../../src/records/index.ts'
import { auditedFiles, ORPHAN_ID } from './audited-files.ts'

const HOSTILE = `default/<script>alert("1")</script>&'\u001b[2J\u202egpj.${ORPHAN_ID}.exe`

async function hostileAudit(limit?: number): Promise<AuditReport> {
  const { files, store } = auditedFiles()
  await files.upload('a.txt', 'a')
  await store.upload(HOSTILE, 'x')
  await store.upload(`default/z.${ORPHAN_ID}.txt`, 'x')
  return files.audit(limit === undefined ? {} : { limit })
}

describe('a report of an audit', () => {
  it('shows a key that holds markup, control characters or changes of direction as text, on the page', async () => {
    const page = auditHtml(await hostileAudit())
    expect(page).toContain(
      '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;\\u001b[2J\\u202egpj.',
    )
    expect(page).not.toMatch(/<script|\u001b|\u202e/)
    expect(page).toContain('2 findings')
    expect(page).toContain("default-src 'none'")
    expect(page.match(/(?:src|href)=/g)).toBeNull()
  })

  it('shows it as text on a terminal', async () => {
    const text = auditText(await hostileAudit())
    expect(text).toContain('\\u001b[2J\\u202egpj.')
    expect(text).not.toMatch(/\u001b|\u202e/)
    expect(text).toContain('Orphans: 2')
  })

  it('counts what it does not list', async () => {
    const report = await hostileAudit(1)
    expect(report.counts.orphan).toBe(2)
    expect(report.findings).toHaveLength(1)
    expect(auditText(report)).toContain('… 1 more')
    expect(auditHtml(report)).toContain('and 1 more that this report does not list')
  })

  it('says that nothing is wrong where nothing is', async () => {
    const { files } = auditedFiles()
    const report = await files.audit()
    expect(auditText(report)).toContain('nothing is wrong')
    expect(auditHtml(report)).toContain('Nothing is wrong')
    expect(collectText(await files.collect())).toContain('0 orphans')
  })
})
