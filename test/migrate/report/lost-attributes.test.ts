import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { reportHtml } from '../../../src/migrate/report/report-html.ts'
import { reportJsonl } from '../../../src/migrate/report/report-jsonl.ts'
import { migrated } from '../verify/migrated.ts'

test('reports name the attributes that the destination could not keep, though everything matches', async () => {
  const from = memory()
  await from.upload('<b>.txt', 'text', { cacheControl: 'no-cache', metadata: { owner: 'ann' } })
  const inner = memory()
  const to = forward(inner, {
    get capabilities() {
      return { ...inner.capabilities, cacheControl: false, metadata: false }
    },
  })
  const { manifest } = await migrated({ 'a.txt': 'plain' }, { from, to })
  let lines = ''
  for await (const line of reportJsonl(manifest)) lines += line
  const { summary } = JSON.parse(lines.trimEnd().split('\n').at(-1)!)
  expect(summary).toMatchObject({
    complete: true,
    lostAttributes: { cacheControl: '<b>.txt', metadata: '<b>.txt' },
  })
  const page = await reportHtml(manifest)
  expect(page).toContain('<b>cacheControl</b><span>first of &#60;b&#62;.txt</span>')
  expect(page).toContain('<b>metadata</b><span>first of &#60;b&#62;.txt</span>')
})

test('reports of a migration that lost nothing say nothing of it', async () => {
  const { manifest } = await migrated({ 'a.txt': 'plain' })
  expect(await reportHtml(manifest)).not.toContain('first of')
})
