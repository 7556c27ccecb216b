/** The caller's own transaction: record, journal and the caller's rows change together, the bytes follow. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RecordsOptions } from '../../src/records/index.ts'
import { libsql, missingDrivers, sqliteDrivers } from '../sql/sqlite/drivers.ts'
import { hasCode } from '../support/has-code.ts'
import { describeOnPostgres } from '../support/on-postgres.ts'
import { type Recorded, recorded } from '../support/recorded.ts'
import { endProblems, takeInventory } from './support/inventory.ts'
import {
  type OpenPlace,
  type Place,
  pglitePlace,
  postgresPlaces,
  type Run,
  sqlitePlace,
} from './transaction-places.ts'

const LEASE_MS = 30_000

class Undone extends Error {}

let place: Place
let world: Recorded

/** Opens files on the place, with one transaction at hand. */
async function open(openPlace: OpenPlace, options: RecordsOptions = {}): Promise<void> {
  place = await openPlace()
  openFiles(options)
  await world.files.recover()
}

function openFiles(options: RecordsOptions = {}): void {
  world = recorded({ throughEngine: () => place.engine, leaseMs: LEASE_MS, ...options })
}

const notes = async () => (await place.engine.query(['SELECT id FROM notes ORDER BY id'])).map(row => row.id)
const text = async (key: string) => (await world.files.download(key)).text()
const note = (run: Run, id: string) => run(`INSERT INTO notes (id) VALUES ('${id}')`)

/** A transaction that does all of it and is rolled back. */
async function undone(work: Parameters<Place['transaction']>[0]): Promise<void> {
  const rolledBack = place.transaction(async (tx, run) => {
    await work(tx, run)
    throw new Undone()
  })
  await expect(rolledBack).rejects.toThrow(Undone)
}

/** After every grace nothing is owed, and store and records agree. */
async function expectClean(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    world.advance(3_700_000)
    await world.files.recover({ waitForLeases: true })
  }
  expect(endProblems(await takeInventory(world.store, place.engine))).toEqual([])
}

function transactionSuite(openPlace: OpenPlace): void {
  beforeEach(() => open(openPlace))
  afterEach(() => place.close())

  test('publishes, deletes and changes the caller’s rows with its commit', async () => {
    const { files } = world
    await files.upload('old.txt', 'old')
    const photo = await files.prepareUpload('new.txt', 'new')
    await place.transaction(async (tx, run) => {
      await note(run, photo.key)
      expect(await files.publish(photo, { transaction: tx })).toMatchObject({ key: 'new.txt', size: 3 })
      expect(await files.delete('old.txt', { transaction: tx })).toMatchObject({ status: 'deleted' })
      if (!place.leavesEngineFree) return
      expect(await files.exists('new.txt')).toBe(false)
      expect(await text('old.txt')).toBe('old')
    })
    expect(await notes()).toEqual(['new.txt'])
    expect(await text('new.txt')).toBe('new')
    expect(await files.exists('old.txt')).toBe(false)
    expect((await files.info('new.txt')).etag).toBe(photo.etag)
    await expectClean()
  })

  test('leaves all as it was with its rollback, and sweeps the new bytes after the lease', async () => {
    const { files } = world
    const kept = await files.upload('a.txt', 'kept', { metadata: { of: 'the first' } })
    await files.upload('b.txt', 'also kept')
    const before = await world.stored()
    const replacement = await files.prepareUpload('a.txt', 'replaced')
    await undone(async (tx, run) => {
      await note(run, 'a')
      await files.publish(replacement, { transaction: tx })
      await files.deleteMany(['b.txt', 'none.txt'], { transaction: tx })
    })
    expect(await notes()).toEqual([])
    expect(await files.info('a.txt')).toMatchObject({ etag: kept.etag, metadata: { of: 'the first' } })
    expect([await text('a.txt'), await text('b.txt')]).toEqual(['kept', 'also kept'])
    expect(await world.stored()).toHaveLength(before.length + 1)
    await files.recover()
    world.advance(LEASE_MS + 1)
    await files.recover()
    expect(await world.stored()).toEqual(before)
    await expectClean()
    expect(await text('a.txt')).toBe('kept')
  })

  test('deletes the bytes at once where the caller settles after the commit', async () => {
    const { files } = world
    const all = ['a.txt', 'b.txt', 'c.txt']
    for (const key of all) await files.upload(key, key)
    let operationId: string | undefined
    await place.transaction(async tx => {
      const results = await files.deleteMany([...all, 'none.txt', 'a.txt'], { transaction: tx })
      expect(results.map(({ status }) => status)).toEqual([
        'deleted',
        'deleted',
        'deleted',
        'missing',
        'missing',
      ])
      operationId = (results[0] as { operationId: string }).operationId
    })
    expect(await world.stored()).toHaveLength(3)
    await files.settle(operationId!)
    expect(await world.stored()).toEqual([])
    expect(await files.jobs()).toEqual([])
  })

  test('settles replaced bytes by the etag, and not before their grace has passed', async () => {
    const { files } = world
    await files.upload('a.txt', 'old')
    const [old] = await world.stored()
    const replacement = await files.prepareUpload('a.txt', 'new')
    await place.transaction(async tx => void (await files.publish(replacement, { transaction: tx })))
    await files.settle(replacement.etag)
    expect(await world.stored()).toContain(old)
    world.advance(15 * 60_000 + 1)
    await files.settle(replacement.etag)
    expect(await world.stored()).toHaveLength(1)
    expect(await text('a.txt')).toBe('new')
  })

  test('settles replaced bytes at once where they have no grace', async () => {
    openFiles({ replaceGraceMs: 0 })
    const { files } = world
    await files.upload('a.txt', 'old')
    const replacement = await files.prepareUpload('a.txt', 'new')
    await place.transaction(async tx => void (await files.publish(replacement, { transaction: tx })))
    expect(await world.stored()).toHaveLength(2)
    await files.settle(replacement.etag)
    expect(await world.stored()).toHaveLength(1)
    expect(await files.jobs()).toEqual([])
  })

  test('keeps what settles restorable until its time has passed', async () => {
    openFiles({ restoreMs: 86_400_000 })
    const { files } = world
    await files.upload('a.txt', 'deleted')
    let operationId = ''
    await place.transaction(async tx => {
      operationId = (await files.delete('a.txt', { transaction: tx })).operationId!
    })
    await files.settle(operationId)
    expect(await files.deleted()).toHaveLength(1)
    await files.restore('a.txt')
    expect(await text('a.txt')).toBe('deleted')
    await expectClean()
  })

  test('recovers in another process what a crash between commit and settle has left', async () => {
    openFiles({ replaceGraceMs: 0 })
    const { files } = world
    await files.upload('a.txt', 'old')
    await files.upload('b.txt', 'old')
    const replacement = await files.prepareUpload('a.txt', 'new')
    await place.transaction(async tx => {
      await files.publish(replacement, { transaction: tx })
      await files.delete('b.txt', { transaction: tx })
    })
    expect(await world.stored()).toHaveLength(3)
    expect(await world.another().recover()).toMatchObject({ worked: 2 })
    expect(await world.stored()).toHaveLength(1)
    await expectClean()
  })

  test('deletes and publishes one key in one transaction, in either order', async () => {
    const { files } = world
    await files.upload('a.txt', 'old', { metadata: { of: 'the old' } })
    await files.upload('b.txt', 'old')
    const a = await files.prepareUpload('a.txt', 'new', { metadata: { of: 'the new' } })
    const b = await files.prepareUpload('b.txt', 'new')
    await place.transaction(async tx => {
      await files.delete('a.txt', { transaction: tx })
      await files.publish(a, { transaction: tx, ifNoneMatch: '*' })
      await files.publish(b, { transaction: tx })
      await files.delete('b.txt', { transaction: tx, ifMatch: b.etag })
    })
    expect(await text('a.txt')).toBe('new')
    expect(await files.exists('b.txt')).toBe(false)
    await expectClean()
    expect((await files.info('a.txt')).metadata).toEqual({ of: 'the new' })
    expect(await world.stored()).toHaveLength(1)
  })

  test('decides conditions by what the transaction sees', async () => {
    const { files } = world
    const first = await files.upload('a.txt', 'first')
    const [second, third] = [
      await files.prepareUpload('a.txt', 'second'),
      await files.prepareUpload('a.txt', 'third'),
    ]
    const fresh = await files.prepareUpload('a.txt', 'fresh')
    await place.transaction(async tx => {
      await files.publish(second, { transaction: tx, ifMatch: first.etag! })
      const stale = files.publish(third, { transaction: tx, ifMatch: first.etag! })
      await expect(stale).rejects.toSatisfy(hasCode('precondition-failed'))
      const taken = files.publish(fresh, { transaction: tx, ifNoneMatch: '*' })
      await expect(taken).rejects.toSatisfy(hasCode('already-exists'))
      const old = files.delete('a.txt', { transaction: tx, ifMatch: first.etag! })
      await expect(old).rejects.toSatisfy(hasCode('precondition-failed'))
    })
    expect(await text('a.txt')).toBe('second')
    await Promise.all([files.discard(third), files.discard(fresh)])
    await expectClean()
    expect(await world.stored()).toHaveLength(1)
  })

  test('publishes after a rollback once more, and discards what is not wanted', async () => {
    const { files } = world
    const [again, unwanted] = [
      await files.prepareUpload('a.txt', 'again'),
      await files.prepareUpload('b.txt', 'x'),
    ]
    await undone(async tx => {
      await files.publish(again, { transaction: tx })
      await files.publish(unwanted, { transaction: tx })
    })
    await files.discard(unwanted)
    expect(await world.stored()).toHaveLength(1)
    await place.transaction(async tx => void (await files.publish(again, { transaction: tx })))
    await files.discard(again)
    expect(await text('a.txt')).toBe('again')
    await expect(files.publish(again)).rejects.toSatisfy(hasCode('conflict'))
    expect(await text('a.txt')).toBe('again')
    await expectClean()
  })

  test('publishes no bytes that recovery has given up', async () => {
    const { files } = world
    const late = await files.prepareUpload('a.txt', 'late')
    const other = world.another()
    await other.recover()
    world.advance(LEASE_MS + 1)
    await other.recover()
    await place.transaction(async tx => {
      await expect(files.publish(late, { transaction: tx })).rejects.toSatisfy(hasCode('conflict'))
    })
    expect(await files.exists('a.txt')).toBe(false)
    await expectClean()
  })

  test('undoes a batch of its own and not the caller’s transaction where an id is refused', async () => {
    const { files } = world
    await place.transaction(async (tx, run) => {
      await note(run, 'before')
      const both = files.delete('a.txt', { transaction: tx, also: [['DELETE FROM notes']] })
      await expect(both).rejects.toSatisfy(hasCode('invalid-argument'))
      await expect(files.delete('a.txt', { transaction: {} })).rejects.toSatisfy(hasCode('unsupported'))
      await note(run, 'behind')
    })
    expect(await notes()).toEqual(['before', 'behind'])
  })
}

/** Where the transaction keeps the engine from writing. */
function blockedSuite(openPlace: OpenPlace): void {
  beforeEach(() => open(openPlace))
  afterEach(() => place.close())

  test('refuses at once what would wait for the transaction, and says what to call', async () => {
    const { files } = world
    await files.upload('a.txt', 'a')
    await place.transaction(async (tx, run) => {
      await note(run, 'goes on')
      const calls = [
        files.upload('b.txt', 'b', { transaction: tx }),
        files.copy('a.txt', 'b.txt', { transaction: tx }),
        files.move('a.txt', 'b.txt', { transaction: tx }),
        files.finalize('01', { transaction: tx }),
        files.restore('a.txt', { transaction: tx }),
      ]
      for (const call of calls) await expect(call).rejects.toSatisfy(hasCode('unsupported'))
      await expect(calls[0]).rejects.toThrow(/prepareUpload\(\) before it begins/)
      await expect(calls[3]).rejects.toThrow(/prepareFinalize\(\) before it begins/)
    })
    expect(await notes()).toEqual(['goes on'])
    expect(await world.stored()).toHaveLength(1)
  })

  test('says that the tables must have been looked at before', async () => {
    openFiles()
    await place.transaction(async tx => {
      const early = world.files.delete('a.txt', { transaction: tx })
      await expect(early).rejects.toThrow(/await recover\(\) once, before any transaction/)
    })
  })
}

describe('a transaction of the caller’s with PGlite', () => {
  const pglite = pglitePlace()
  beforeAll(async () => (await pglite.open()).close())
  afterAll(pglite.end)
  describe('that commits or rolls back', () => transactionSuite(pglite.open))
  describe('that holds the only connection', () => blockedSuite(pglite.open))
})

for (const driver of await sqliteDrivers())
  describe(`a transaction of the caller’s with ${driver.name}`, () => {
    describe('that commits or rolls back', () => transactionSuite(sqlitePlace(driver)))
    if (driver.name === libsql.name)
      describe('that holds the only lock', () => blockedSuite(sqlitePlace(driver)))
  })

for (const [name, reason] of await missingDrivers())
  test(`a transaction of the caller’s with ${name}`, context => context.skip(reason))

describeOnPostgres('a transaction of the caller’s', server => {
  for (const [library, openPlace] of postgresPlaces(server))
    describe(`with ${library}`, () => transactionSuite(openPlace))
})
