import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runKills } from './kills.ts'

test('loses nothing to 80 kills, with local files and SQLite', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-kills-'))
  try {
    const report = await runKills({
      store: `file:${join(folder, 'files')}`,
      records: `sqlite:${join(folder, 'records.db')}`,
      seed: 'local-sqlite',
      kills: 80,
    })
    console.log('kills, local files and SQLite:', JSON.stringify(report))
    expect(report.done).toBeGreaterThan(0)
    expect(report.happened).toBeGreaterThan(0)
    expect(report.interrupted).toBeGreaterThan(report.kills)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
