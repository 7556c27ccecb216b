import { expect, test } from 'vitest'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import { reportCombined } from '../../../src/migrate/report/report-combined.ts'
import { reportJsonl } from '../../../src/migrate/report/report-jsonl.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const KEYS = [
  'line\u2028separator',
  'next\u0085line',
  'paragraph\u2029separator',
  'new\nline',
  'carriage\rreturn',
]

test('a key with any character that some reader takes for the end of a line stays on its line', async () => {
  const manifest = await openManifest(sqlite({ path: ':memory:' }), 'default')
  await manifest.write(
    KEYS.map(sourceKey => ({ sourceKey, destinationKey: sourceKey, state: 'copied' as const, size: 1 })),
  )
  const keys = (lines: readonly string[], keyOf: (line: string) => string) => lines.map(keyOf).sort()
  const linesOf = async (report: AsyncIterable<string>) => {
    let text = ''
    for await (const line of report) text += line
    return text.trimEnd().split(/[\n\r\u0085\u2028\u2029]/)
  }
  const jsonl = (await linesOf(reportJsonl(manifest))).map(line => JSON.parse(line))
  expect(
    jsonl
      .slice(0, -1)
      .map(({ sourceKey }) => sourceKey)
      .sort(),
  ).toEqual([...KEYS].sort())
  const combined = await linesOf(reportCombined(manifest))
  expect(keys(combined, line => JSON.parse(line.slice(2)))).toEqual([...KEYS].sort())
})
