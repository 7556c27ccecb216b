/** PostgreSQL runs batches side by side: what one has decided must still hold when it writes. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { raiseEpochs } from '../../src/records/backup/raise-epochs.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { hasCode } from '../support/has-code.ts'
import { createDatabase, describeOnPostgres, type TestDatabase } from '../support/on-postgres.ts'
import { changed, recorded } from '../support/recorded.ts'

describeOnPostgres('batches side by side', server => {
  let database: TestDatabase
  let engine: Engine
  let direct: pg.Client
  /** In between the statements of a batch. */
  let between: pg.Client

  beforeAll(async () => {
    database = await createDatabase(server)
    direct = new pg.Client(database.url)
    between = new pg.Client(database.url)
    await Promise.all([direct.connect(), between.connect()])
  })
  afterAll(async () => {
    await Promise.all([direct.end(), between.end()])
    await database.drop()
  })
  beforeEach(async () => {
    await direct.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    engine = postgres({ url: database.url })
  })
  afterEach(async () => {
    await engine.close()
  })

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 5))
  }
  async function waiting(): Promise<number> {
    const { rows } = await direct.query('SELECT count(*)::int AS number FROM pg_locks WHERE NOT granted')
    return rows[0].number
  }

  test('a file whose deletion was refused is not live again while another process takes its job', async () => {
    let refusals = 1
    const { files, another, stored } = recorded({
      throughEngine: () => engine,
      patienceMs: 0,
      through: changed(inner => ({
        async deleteMany(keys, options) {
          if (refusals-- <= 0) return inner.deleteMany(keys, options)
          // The batch that makes it live again has to wait for this, after it has looked and before it writes.
          await between.query('BEGIN')
          await between.query('SELECT 1 FROM t_default__files FOR UPDATE')
          const entries = [...(keys as Iterable<{ key: string }>)]
          return entries.map(({ key }) => ({
            key,
            status: 'error' as const,
            error: new StorageError('permission-denied', 'not allowed'),
          }))
        },
      })),
    })
    await files.upload('a.txt', 'bytes')
    const deleting = files.delete('a.txt')
    deleting.catch(() => {})
    await until(async () => (await waiting()) === 1)
    const recovering = another().recover({ waitForLeases: true })
    await until(async () => (await waiting()) === 2 || (await stored()).every(key => !key.includes('/a.')))
    await between.query('COMMIT')
    await expect(deleting).rejects.toSatisfy(hasCode('permission-denied'))
    await recovering
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
  })

  test('of two that raise the epoch at once, one is told so: no two restores share an epoch', async () => {
    const { files, store } = recorded({ throughEngine: () => engine })
    await files.recover()
    await between.query('BEGIN')
    await between.query('SELECT 1 FROM t_default__settings FOR UPDATE')
    const raising = [raiseEpochs(engine, store), raiseEpochs(engine, store)]
    const ended = Promise.allSettled(raising)
    await until(async () => (await waiting()) === 2)
    await between.query('COMMIT')
    const results = await ended
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const [failed] = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    expect(failed).toSatisfy(hasCode('conflict'))
  })
})
