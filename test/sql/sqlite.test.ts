import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DriverName, sqlite } from '../../src/sql/sqlite/index.ts'
import type { EngineUnderTest } from './engine-case.ts'
import { engineCases } from './engine-cases.ts'

async function database(driver: DriverName): Promise<EngineUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-sqlite-'))
  const open = () => sqlite({ path: join(folder, 'test.db'), driver })
  const engine = open()
  return {
    engine,
    fresh: async () => open(),
    close: async () => {
      await engine.close()
      await rm(folder, { recursive: true })
    },
  }
}

engineCases('sqlite with libsql', () => database('libsql'))
