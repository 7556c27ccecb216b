import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createDatabase, describeOnPostgres } from '../../support/on-postgres.ts'
import { runKills } from './kills.ts'

describeOnPostgres('kills', server => {
  test('lose nothing, 80 times, with local files, half of it in transactions', {
    timeout: 300_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-kills-'))
    const database = await createDatabase(server)
    try {
      const report = await runKills({
        store: `file:${folder}`,
        records: database.url,
        transactions: database.url,
        seed: 'local-postgres',
        kills: 80,
      })
      console.log('kills, local files and PostgreSQL:', JSON.stringify(report))
      expect(report.done).toBeGreaterThan(0)
      expect(report.happened).toBeGreaterThan(0)
      expect(report.interrupted).toBeGreaterThan(report.kills)
    } finally {
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
