/** `also`: the caller's own statements happen in the batch in which the file does, or not at all. */
import { PGlite } from '@electric-sql/pglite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RecordsOptions } from '../../src/records/index.ts'
import type { BatchOptions, Engine, Statement } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { rqlite } from '../../src/sql/rqlite/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { hasCode } from '../support/has-code.ts'
import { type Recorded, recorded } from '../support/recorded.ts'
import { type RqliteCluster, startRqlite } from '../support/rqlite.ts'
import { endProblems, takeInventory } from './support/inventory.ts'

const note = (id: string): Statement => ['INSERT INTO notes (id) VALUES (?)', id]
const forget = (id: string): Statement => ['DELETE FROM notes WHERE id = ?', id]
const TAKEN = 'taken'

/** @param emptied an engine over a database with no tables; `most` keys are deleted at once */
function alsoSuite(emptied: () => Promise<Engine>, most: number): void {
  let engine: Engine
  let world: Recorded
  let batches: BatchOptions[]

  beforeEach(async () => {
    engine = await emptied()
    await engine.batch([['CREATE TABLE notes (id TEXT PRIMARY KEY)'], note(TAKEN)])
    openFiles()
  })
  afterEach(() => engine.close())

  function openFiles(options: RecordsOptions = {}): void {
    batches = []
    const { name, types, jsonArray, textHoldsNul } = engine
    const counting: Engine = {
      name,
      types,
      jsonArray,
      textHoldsNul,
      batch(statements, given = {}) {
        batches.push(given)
        return engine.batch(statements, given)
      },
      query: (statement, given) => engine.query(statement, given),
      outcome: (id, given) => engine.outcome(id, given),
      forget: before => engine.forget(before),
      join: transaction => engine.join(transaction),
      close: () => engine.close(),
    }
    world = recorded({ throughEngine: () => counting, ...options })
  }
  const notes = async () => (await engine.query(['SELECT id FROM notes ORDER BY id'])).map(row => row.id)
  const text = async (key: string) => (await world.files.download(key)).text()
  async function expectClean(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      world.advance(3_700_000)
      await world.files.recover()
    }
    expect(endProblems(await takeInventory(world.store, engine))).toEqual([])
  }

  test('changes the rows with an upload, a replace, a copy, a move and a delete', async () => {
    const { files } = world
    await files.upload('a.txt', 'one', { also: [note('uploaded')] })
    await files.upload('a.txt', 'two', { also: [forget('uploaded'), note('replaced')] })
    await files.copy('a.txt', 'b.txt', { also: [note('copied')] })
    await files.move('b.txt', 'c.txt', { also: [note('moved')] })
    await files.delete('a.txt', { also: [note('deleted')] })
    expect(await notes()).toEqual(['copied', 'deleted', 'moved', 'replaced', TAKEN])
    expect(await text('c.txt')).toBe('two')
    await expectClean()
    expect(await world.stored()).toHaveLength(1)
  })

  test('changes the rows with a finalized and with a restored file', async () => {
    openFiles({ restoreMs: 86_400_000 })
    const { files } = world
    const { uploadId } = await files.signedUpload('a.txt', { expiresIn: 60 })
    const [staged] = await files.jobs()
    await world.store.upload(staged!.physical, 'sent')
    await files.finalize(uploadId!, { also: [note('finalized')] })
    await files.delete('a.txt')
    await files.restore('a.txt', { also: [note('restored')] })
    expect(await notes()).toEqual(['finalized', 'restored', TAKEN])
    expect(await text('a.txt')).toBe('sent')
  })

  test('publishes prepared bytes with the rows, and once only', async () => {
    const { files } = world
    const prepared = await files.prepareUpload('a.txt', 'prepared', { metadata: { of: 'the first half' } })
    expect(await files.exists('a.txt')).toBe(false)
    const info = await files.publish(prepared, { also: [note('published')], ifNoneMatch: '*' })
    expect(info).toMatchObject({ ...prepared, metadata: { of: 'the first half' } })
    await expect(files.publish(prepared, { also: [note('again')] })).rejects.toSatisfy(hasCode('conflict'))
    expect(await notes()).toEqual(['published', TAKEN])
    expect(await text('a.txt')).toBe('prepared')
    await expectClean()
  })

  test('publishes nothing and leaves no bytes where a row breaks a constraint', async () => {
    const { files } = world
    await files.upload('kept.txt', 'kept')
    const before = await world.stored()
    const also = [note('undone'), note(TAKEN)]
    await expect(files.upload('new.txt', 'new', { also })).rejects.toSatisfy(hasCode('conflict'))
    await expect(files.upload('kept.txt', 'replaced', { also })).rejects.toSatisfy(hasCode('conflict'))
    await expect(files.copy('kept.txt', 'new.txt', { also })).rejects.toSatisfy(hasCode('conflict'))
    await expect(files.move('kept.txt', 'new.txt', { also })).rejects.toSatisfy(hasCode('conflict'))
    const prepared = await files.prepareUpload('new.txt', 'prepared')
    await expect(files.publish(prepared, { also })).rejects.toSatisfy(hasCode('conflict'))
    expect(await notes()).toEqual([TAKEN])
    expect(await files.exists('new.txt')).toBe(false)
    expect(await text('kept.txt')).toBe('kept')
    expect(await world.stored()).toEqual(before)
    await expectClean()
  })

  test('deletes nothing where a row breaks a constraint', async () => {
    const { files } = world
    for (const key of ['a.txt', 'b.txt']) await files.upload(key, key)
    const also = [note('undone'), note(TAKEN)]
    await expect(files.delete('a.txt', { also })).rejects.toSatisfy(hasCode('conflict'))
    await expect(files.deleteMany(['a.txt', 'b.txt'], { also })).rejects.toSatisfy(hasCode('conflict'))
    expect(await notes()).toEqual([TAKEN])
    expect([await text('a.txt'), await text('b.txt')]).toEqual(['a.txt', 'b.txt'])
    expect(await files.jobs()).toEqual([])
  })

  test('changes no row where a condition does not hold', async () => {
    const { files } = world
    const { etag } = await files.upload('a.txt', 'one')
    await files.upload('a.txt', 'two')
    const also = [note('undone')]
    const stale = { ifMatch: etag!, also }
    const [prepared, fresh] = [
      await files.prepareUpload('a.txt', 'x'),
      await files.prepareUpload('a.txt', 'x'),
    ]
    await expect(files.upload('a.txt', 'x', stale)).rejects.toSatisfy(hasCode('precondition-failed'))
    await expect(files.delete('a.txt', stale)).rejects.toSatisfy(hasCode('precondition-failed'))
    await expect(files.publish(prepared, stale)).rejects.toSatisfy(hasCode('precondition-failed'))
    const taken = files.publish(fresh, { ifNoneMatch: '*', also })
    await expect(taken).rejects.toSatisfy(hasCode('already-exists'))
    expect(await notes()).toEqual([TAKEN])
    expect(await text('a.txt')).toBe('two')
    await expectClean()
  })

  test(`deletes ${most} files with their rows in one batch`, async () => {
    const { files } = world
    const keys = Array.from({ length: most }, (_, at) => `many/${at}.txt`)
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map(key => files.upload(key, key)))
    batches.length = 0
    const results = await files.deleteMany([...keys, 'none.txt'], { also: [note('all gone')] })
    expect(results.filter(({ status }) => status === 'deleted')).toHaveLength(most)
    expect(results.at(-1)).toEqual({ key: 'none.txt', status: 'missing' })
    expect(batches.filter(({ id }) => id?.endsWith(':hide'))).toHaveLength(1)
    expect(batches.length).toBeLessThanOrEqual(3)
    expect(await notes()).toEqual(['all gone', TAKEN])
    expect(await world.stored()).toEqual([])
    expect(await files.jobs()).toEqual([])
  })

  test('refuses before anything is stored what is no statement', async () => {
    const { files } = world
    for (const also of ['DELETE FROM notes', ['DELETE FROM notes'], [['DELETE FROM notes', true]]]) {
      const call = files.upload('a.txt', 'a', { also: also as never })
      await expect(call).rejects.toSatisfy(hasCode('invalid-argument'))
    }
    await expect(files.publish({ key: 'a.txt', size: 1, etag: 'x' })).rejects.toThrow(/prepareUpload\(\)/)
    const early = files.prepareUpload('a.txt', 'a', { ifNoneMatch: '*' } as object)
    await expect(early).rejects.toThrow(/give them to publish\(\)/)
    expect(await world.stored()).toEqual([])
    expect(await files.jobs()).toEqual([])
  })
}

describe('also on SQLite', () => alsoSuite(async () => sqlite({ path: ':memory:' }), 1_500))

describe('also on PGlite', () => {
  let client: PGlite
  beforeAll(async () => {
    client = await PGlite.create()
  })
  afterAll(() => client.close())
  alsoSuite(async () => {
    await client.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    return postgres({ client })
  }, 300)
})

describe('also on rqlite', () => {
  let cluster: RqliteCluster
  beforeAll(async () => {
    cluster = await startRqlite()
  })
  afterAll(() => cluster.stop())
  alsoSuite(async () => {
    const engine = rqlite({ url: cluster.nodes.map(node => node.url) })
    const tables = await engine.query([
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    ])
    if (tables.length > 0)
      await engine.batch(tables.map(({ name }): Statement => [`DROP TABLE "${String(name)}"`]))
    return engine
  }, 300)
})
