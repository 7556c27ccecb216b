import { expect, it } from 'vitest'
import { EventShow } from '../../src/cli/commands/migrate/show-events.ts'
import type { Output } from '../../src/cli/output.ts'
import type { ManifestRow } from '../../src/migrate/manifest.ts'
import type { CopyProgress, MigrationEvent } from '../../src/migrate/migration-event.ts'

function shown() {
  const bars: number[] = []
  const progress = { next() {}, reach: ({ bytes }: { bytes: number }) => void bars.push(bytes) }
  const out = { json: false, progress, note() {} } as unknown as Output
  const show = new EventShow(out)
  return { bars, tell: (event: MigrationEvent) => show.show(event) }
}

const at = (copiedBytes: number): CopyProgress => ({
  copiedObjects: 0,
  copiedBytes,
  totalObjects: 2,
  totalBytes: 100,
  failed: 0,
})
const row = (sourceKey: string) => ({ sourceKey }) as ManifestRow

it('moves the bar with each part of an object that has not ended', async () => {
  const { bars, tell } = shown()
  for (let part = 0; part < 3; part++) await tell({ kind: 'part', key: 'a', bytes: 10, progress: at(0) })
  await tell({ kind: 'part', key: 'b', bytes: 5, progress: at(0) })
  await tell({ kind: 'copied', row: row('a'), progress: at(40) })
  expect(bars).toEqual([10, 20, 30, 35, 45])
})

it('takes back what a try has brought that failed', async () => {
  const { bars, tell } = shown()
  const error = new Error('down') as never
  await tell({ kind: 'part', key: 'a', bytes: 30, progress: at(0) })
  await tell({ kind: 'retry', key: 'a', attempt: 1, delayMs: 1, error })
  await tell({ kind: 'part', key: 'a', bytes: 10, progress: at(0) })
  await tell({ kind: 'failed', row: row('a'), error })
  await tell({ kind: 'copied', row: row('b'), progress: at(50) })
  expect(bars).toEqual([30, 10, 50])
})
