import { PGlite } from '@electric-sql/pglite'
import { afterAll, describe, expect, it } from 'vitest'
import { parseVersion } from '../../examples/plugin-registry/plugin-version.js'
import { UPGRADES, VersionsTable } from '../../examples/plugin-registry/versions-table.js'
import { tenantTable, upgradeTables } from '../../src/records/index.ts'
import type { Statement } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

const db = new PGlite()
afterAll(() => db.close())

describe.each([
  ['sqlite', () => sqlite({ path: ':memory:' })],
  ['postgres', () => postgres({ client: db })],
] as const)('the table of versions on %s', (_, open) => {
  const engine = open()
  afterAll(() => engine.close())

  it('finds the latest release of each plugin that is not yanked', async () => {
    await upgradeTables(engine, 'default', 'app', UPGRADES)
    const versions = new VersionsTable(engine, tenantTable('default', 'plugin_versions'))
    const published = ['a 1.9.0', 'a 1.10.0', 'a 2.0.0-rc.1', 'b-50% 0.1.0', 'c 1.0.0-beta', 'd 3.0.0']
    await engine.batch(
      published.map(text => {
        const [name, version] = text.split(' ') as [string, string]
        const row = { sha256: 'f'.repeat(64), size: 7, description: `What ${name} does`, publishedAt: 1 }
        return versions.insert({ name, ...parseVersion(version), ...row }) as unknown as Statement
      }),
    )
    await versions.setYanked('d', '3.0.0', true)
    expect(await versions.latest('a')).toMatchObject({ version: '1.10.0', size: 7n, yanked: 0n })
    expect(await versions.latest('c')).toBeUndefined()
    expect(await versions.latest('d')).toBeUndefined()
    expect(await versions.find('d', '3.0.0')).toMatchObject({ yanked: 1n })
    const all = await versions.all('a')
    expect(all.map((row: { version: string }) => row.version)).toEqual(['2.0.0-rc.1', '1.10.0', '1.9.0'])
    const namesOf = async (search: string, after = '') => {
      const rows = await versions.plugins({ search, after, limit: 10 })
      return rows.map((row: { name: string; version: string }) => `${row.name} ${row.version}`)
    }
    expect(await namesOf('')).toEqual(['a 1.10.0', 'b-50% 0.1.0'])
    expect(await namesOf('', 'a')).toEqual(['b-50% 0.1.0'])
    expect(await namesOf('WHAT B')).toEqual(['b-50% 0.1.0'])
    expect(await namesOf('50%')).toEqual(['b-50% 0.1.0'])
    expect(await namesOf('_')).toEqual([])
  })
})
