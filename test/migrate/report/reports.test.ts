import { expect, test } from 'vitest'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import type { Manifest, RowChange } from '../../../src/migrate/manifest.ts'
import { reportCombined } from '../../../src/migrate/report/report-combined.ts'
import { reportHtml } from '../../../src/migrate/report/report-html.ts'
import { reportJsonl } from '../../../src/migrate/report/report-jsonl.ts'
import { StrayLog } from '../../../src/migrate/verify/strays.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const ODD = `<script>alert(1)</script>\n"quoted" & 'odd'`

function row(sourceKey: string, change: Partial<RowChange>): RowChange {
  return {
    sourceKey,
    destinationKey: `to/${sourceKey}`,
    state: 'copied',
    size: 1000,
    status: 'match',
    level: 'checksum',
    ...change,
  }
}

async function manifestOf(rows: readonly RowChange[], extra: readonly string[] = []): Promise<Manifest> {
  const manifest = await openManifest(sqlite({ path: ':memory:' }), 'default')
  await manifest.write(rows)
  const log = await StrayLog.begin(manifest)
  for (const key of extra) await log.add({ side: 'destination', key, size: 7 })
  await log.end()
  return manifest
}

const mixed = () =>
  manifestOf(
    [
      row('a', {}),
      row('b', { status: 'differ', errorCode: 'differ', errorMessage: 'not what was sent' }),
      row('c', { status: 'missing-destination' }),
      row('d', { status: 'missing-source', progress: '{"token":"hunter2"}' }),
      row('e', { status: 'error', errorCode: 'unavailable', errorMessage: 'busy' }),
      row('f', { status: 'unverified', state: 'planned' }),
      row('g', { state: 'gone' }),
      row(ODD, { status: 'differ', state: 'refused', errorCode: 'exists' }),
    ],
    ['to/x'],
  )

async function textOf(lines: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const line of lines) text += line
  return text
}

test('the combined report has the signs of rclone, a line an object, by the key where it is', async () => {
  expect(await textOf(reportCombined(await mixed()))).toBe(
    [`* ${JSON.stringify(ODD)}`, '= a', '* b', '+ c', '- to/d', '! e', '! f', '- to/x', ''].join('\n'),
  )
})

test('the JSON report has an object a line, ends with a summary, and holds no token', async () => {
  const text = await textOf(reportJsonl(await mixed()))
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines).toHaveLength(9)
  expect(lines[1]).toEqual({
    sourceKey: 'a',
    destinationKey: 'to/a',
    state: 'copied',
    size: 1000,
    attempts: 0,
    status: 'match',
    level: 'checksum',
  })
  expect(lines[2]).toMatchObject({ sourceKey: 'b', error: { code: 'differ', message: 'not what was sent' } })
  expect(lines[7]).toEqual({ destinationKey: 'to/x', status: 'missing-source', size: 7 })
  expect(lines[8].summary).toMatchObject({
    name: 'default',
    complete: false,
    states: { copied: { objects: 5, bytes: 5000 }, refused: { objects: 1 }, gone: { objects: 1 } },
    statuses: { match: 1, differ: 2, 'missing-source': 2, 'missing-destination': 1, error: 1, unverified: 1 },
    strays: { source: 0, destination: 1 },
  })
  expect(text).not.toContain('hunter2')
})

test('the page needs nothing else, and shows keys as text', async () => {
  const page = await reportHtml(await mixed(), { from: 's3://old', to: 's3://<new>', now: () => 0 })
  expect(page).toContain('1970-01-01 00:00:00 UTC')
  expect(page).toContain('<code>s3://&#60;new&#62;</code>')
  expect(page).toContain('7 objects to look at')
  expect(page).toContain(
    '&#60;script&#62;alert(1)&#60;/script&#62;\\u000a&#34;quoted&#34; &#38; &#39;odd&#39;',
  )
  expect(page).not.toContain('<script')
  expect(page).not.toMatch(/(?:src|href)=|url\(|@import|hunter2/)
  expect(page).toContain("default-src 'none'")
  for (const status of ['differ', 'missing-destination', 'missing-source', 'error', 'unverified'])
    expect(page).toContain(`<code>${status}</code>`)
  expect(page).toContain(
    'aria-label="Objects: differ 2, missing-destination 1, missing-source 2, error 1, unverified 1, match 1"',
  )
  expect(page).not.toContain('NaN')
})

test('the page of a finished migration says so, and lists nothing', async () => {
  const page = await reportHtml(
    await manifestOf([row('a', {}), row('b', { size: 0 }), row('c', { size: 5e9 })]),
  )
  expect(page).toContain('✓ Everything matches')
  expect(page).not.toContain('<li><b>')
  expect(page).toContain('5.0 GB')
})

test('the page of a migration without objects is a page', async () => {
  const page = await reportHtml(await manifestOf([]))
  expect(page).toContain('✓ Everything matches')
  expect(page).not.toMatch(/NaN|Infinity/)
})

test('the page lists the first of each status and counts the rest; one among many is still seen', async () => {
  const rows = Array.from({ length: 1200 }, (_, at) => row(`k${at}`, at < 30 ? { status: 'differ' } : {}))
  const page = await reportHtml(await manifestOf([...rows, row('z', { status: 'error' })]), { first: 10 })
  expect(page.match(/<li><b>/g)).toHaveLength(11)
  expect(page).toContain('and 20 more that this page does not list')
  const widths = [...page.matchAll(/<rect class="error" x="[\d.]+%" width="([\d.]+)%"/g)]
  expect(widths.length).toBe(2)
  for (const [, width] of widths) expect(Number(width)).toBeGreaterThan(0.7)
})
