import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { runKills } from './kills.ts'
import { objectsOf, seedObjects } from './objects.ts'

test('a migration that is killed 20 times moves every object once, local to local', {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-migrate-kills-'))
  try {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    const source = local({ root: from })
    await seedObjects(source, { seed: 1, count: 400, large: 4 })
    const report = await runKills({
      from: `file:${from}`,
      to: `file:${to}`,
      manifest: `sqlite:${join(folder, 'manifest.db')}`,
      limits: { maxConcurrency: 8 },
      seed: 11,
      kills: 20,
      mostCopies: 30,
    })
    const { result, ...figures } = report
    console.log('kills of a migration, local to local:', JSON.stringify(figures))
    expect(result).toMatchObject({ complete: true, failed: 0, refused: 0 })
    const target = local({ root: to })
    expect(await objectsOf(target)).toEqual(await objectsOf(source))
    expect(report.putAfterCopied).toEqual([])
    expect(report.interrupted).toBeGreaterThan(5)
    // What was under way at a kill, of which 24 at most are read, sent or being recorded.
    expect(report.puts).toBeLessThanOrEqual(404 + 20 * 24)
    await Promise.all([source.close(), target.close()])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
