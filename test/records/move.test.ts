import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { listTenants, moveTenant, type Upgrade, upgradeTables, withRecords } from '../../src/records/index.ts'
import type { Engine, SqlValue } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { rqlite } from '../../src/sql/rqlite/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { signing } from '../support/recorded.ts'
import { startRqlite } from '../support/rqlite.ts'
import { MAILS } from './tenant-upgrades.ts'

const folder = mkdtempSync(join(tmpdir(), 'stowage-move-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0
const aDatabase = () => sqlite({ path: join(folder, `${++made}.db`) })

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte)
const ODD: Readonly<Record<string, SqlValue>> = {
  bytes: EVERY_BYTE,
  none: new Uint8Array(0),
  most: 2n ** 63n - 1n,
  least: -(2n ** 63n),
  unsafe: 2n ** 53n + 1n,
  whole: 1,
  nil: 0,
  'minus nil': -0,
  tiny: 5e-324,
  huge: 1.7976931348623157e308,
  hex: "x'41'",
  emoji: '😀👩‍👩‍👧 é é \u{10FFFF}',
  quotes: `"a" 'b' ; -- \\ ? %`,
  empty: '',
  null: null,
  'text that is a number': '1.0',
  'text of bytes': 'AAEC',
}

const ODDITIES: readonly Upgrade[] = [
  {
    version: 1,
    creates: ['odd', 'loose', 'bare'],
    statements: ({ table, types }) => [
      `CREATE TABLE ${table('odd')} (name ${types.text} PRIMARY KEY, i ${types.integer}, r ${types.real}, t ${types.text}, b ${types.blob}) WITHOUT ROWID`,
      `CREATE INDEX ${table('odd_t')} ON ${table('odd')} (t)`,
      `CREATE TABLE ${table('loose')} (name ${types.text}, v)`,
      `CREATE TABLE ${table('bare')} (v ${types.integer})`,
    ],
  },
]

async function fillOddities(engine: Engine, id: string) {
  await upgradeTables(engine, id, 'app', ODDITIES)
  const column = (value: SqlValue) =>
    ({ bigint: 'i', number: 'r', string: 't', object: 'b' })[typeof value as 'bigint'] ?? 'b'
  for (const [name, value] of Object.entries(ODD))
    await engine.batch([
      [`INSERT INTO t_${id}__odd (name, ${column(value)}) VALUES (?, ?)`, name, value],
      [`INSERT INTO t_${id}__loose (name, v) VALUES (?, ?)`, name, value],
      // Two rows that are the same are two rows.
      [`INSERT INTO t_${id}__bare (v) VALUES (1)`],
    ])
}

async function everything(engine: Engine, id: string) {
  const of = (table: string, order: string) =>
    engine.query([`SELECT * FROM t_${id}__${table} ORDER BY ${order}`], { consistency: 'linearizable' })
  return {
    odd: await of('odd', 'name'),
    loose: await of('loose', 'name'),
    bare: await of('bare', 'v'),
    files: await of('files', 'key'),
    metadata: await of('metadata', 'key, name'),
    journal: await of('journal', 'id'),
    trash: await of('trash', 'generation'),
  }
}

/** A tenant with files, a restorable one, a staged upload and old bytes that are still owed. */
async function lively(engine: Engine, count = 120, store = memory({ signing })) {
  const files = withRecords(store, engine, { tenant: 'acme', restoreMs: 86_400_000, env: {} })
  for (let i = 0; i < count; i++)
    await files.upload(`many/${i}.txt`, String(i), { metadata: { emoji: '😀', i: `${i}` } })
  await files.upload('replaced.txt', 'one')
  await files.upload('replaced.txt', 'two')
  await files.delete('many/7.txt')
  const { uploadId } = await files.signedUpload('staged.bin', { size: 4, expiresIn: 600 })
  await files.audit()
  return { files, store, uploadId: uploadId! }
}

describe('moveTenant', () => {
  it('from SQLite to rqlite and back loses nothing, to the last bit', async () => {
    const cluster = await startRqlite()
    const home = aDatabase()
    const there = rqlite({ url: cluster.nodes.map(node => node.url) })
    try {
      const { files, store, uploadId } = await lively(home)
      await fillOddities(home, 'acme')
      const before = await everything(home, 'acme')
      expect(before.journal.length).toBeGreaterThan(2)

      const report = await moveTenant(home, there, 'acme', store)
      expect(report).toMatchObject({
        epoch: 2,
        rows: { t_acme__files: 120, t_acme__odd: Object.keys(ODD).length, t_acme__trash: 1 },
      })
      expect(await everything(there, 'acme')).toEqual(before)
      const minus = await there.query(["SELECT r FROM t_acme__odd WHERE name = 'minus nil'"])
      expect(Object.is(minus[0]!.r, -0)).toBe(true)

      // Nobody writes to the old one any more, whoever has it open.
      await expect(files.upload('late.txt', 'x')).rejects.toThrow()
      await expect(files.delete('replaced.txt')).rejects.toThrow()
      await expect(withRecords(store, home, { tenant: 'acme', env: {} }).recover()).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('was moved to another database'),
      })
      // What was under way goes on there.
      const moved = withRecords(store, there, { tenant: 'acme', restoreMs: 86_400_000, env: {} })
      await store.upload(`acme/.stowage/staging/${uploadId}`, 'abcd')
      await moved.finalize(uploadId)
      await moved.restore('many/7.txt')
      expect(await (await moved.download('replaced.txt')).text()).toBe('two')
      await expect(moved.collect({ apply: true })).rejects.toMatchObject({ code: 'conflict' })
      expect((await moved.audit({ confirm: true })).clean).toBe(true)

      const now = await everything(there, 'acme')
      expect(await moveTenant(there, home, 'acme', store, { removeSource: true })).toMatchObject({ epoch: 3 })
      expect(await everything(home, 'acme')).toEqual(now)
      expect(await listTenants(there)).toEqual([])
      const back = withRecords(store, home, { tenant: 'acme', env: {} })
      expect(await (await back.download('staged.bin')).text()).toBe('abcd')
      expect((await back.audit({ confirm: true })).clean).toBe(true)
      // The index came with its table.
      const indexes = await home.query([
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 't_acme__odd' AND sql IS NOT NULL",
      ])
      expect(indexes).toEqual([{ name: 't_acme__odd_t' }])
    } finally {
      await there.close()
      await home.close()
      await cluster.stop()
    }
  }, 120_000)

  it("from SQLite to PostgreSQL and back loses nothing of the library's tables", async () => {
    const home = aDatabase()
    const there = postgres({ client: new PGlite() })
    const { store } = await lively(home, 20)
    await upgradeTables(home, 'acme', 'app', MAILS)
    await home.batch([
      [
        'INSERT INTO t_acme__mails (id, raw, received, score) VALUES (?, ?, ?, ?)',
        'm',
        EVERY_BYTE,
        -(2n ** 63n),
        -0,
      ],
    ])
    const rows = async (engine: Engine) => ({
      files: await engine.query(['SELECT * FROM t_acme__files ORDER BY key']),
      journal: await engine.query(['SELECT * FROM t_acme__journal ORDER BY id']),
      mails: await engine.query(['SELECT * FROM t_acme__mails']),
    })
    const before = await rows(home)
    // Its types are others: the application says how its own tables are made.
    await expect(moveTenant(home, there, 'acme', store)).rejects.toMatchObject({ code: 'unsupported' })
    expect(await rows(home)).toEqual(before)
    expect(await listTenants(there)).toEqual([])
    const upgrades = { app: MAILS }
    expect(await moveTenant(home, there, 'acme', store, { upgrades })).toMatchObject({ epoch: 2 })
    expect(await rows(there)).toEqual(before)
    expect(await moveTenant(there, home, 'acme', store, { upgrades })).toMatchObject({ epoch: 3 })
    expect(await rows(home)).toEqual(before)
    const back = withRecords(store, home, { tenant: 'acme', env: {} })
    expect((await back.audit({ confirm: true })).clean).toBe(true)
    await home.close()
  }, 120_000)

  it('that fails leaves the tenant where it was', async () => {
    const home = aDatabase()
    const there = aDatabase()
    const { files, store } = await lively(home)
    let batches = 0
    const failing: Engine = Object.assign(Object.create(there), {
      batch: (...args: Parameters<Engine['batch']>) => {
        if (args[1]?.id?.startsWith('move:') && ++batches === 3) throw new Error('the disk is full')
        return there.batch(...args)
      },
      query: (...args: Parameters<Engine['query']>) => there.query(...args),
    })
    await expect(moveTenant(home, failing, 'acme', store)).rejects.toThrow('the disk is full')
    expect(await listTenants(there)).toEqual([])
    expect(await (await files.download('replaced.txt')).text()).toBe('two')
    await files.upload('goes-on.txt', 'x')
    expect((await files.audit()).clean).toBe(true)
    expect(await moveTenant(home, there, 'acme', store)).toMatchObject({ rows: { t_acme__files: 121 } })
    await home.close()
    await there.close()
  }, 60_000)

  it.each(['before', 'after'] as const)(
    'that is killed %s any of its steps is never open on both sides, and the same call goes on',
    async kind => {
      const home = aDatabase()
      const there = aDatabase()
      const { store } = await lively(home, 8)
      let points = 0
      for (;;) {
        const die = dying(++points, kind)
        const ended = await moveTenant(die(home), die(there), 'acme', store).then(
          () => true,
          error => {
            expect(error.message).toContain('killed')
            return false
          },
        )
        const states = [await stateIn(home), await stateIn(there)]
        expect(states.filter(state => state === 'active').length, `point ${points}`).toBeLessThan(2)
        if (states[1] === 'active') expect(states[0]).toBe('moved')
        if (ended) break
      }
      expect(points).toBeGreaterThan(15)
      // Again, where its answer was lost.
      expect(await moveTenant(home, there, 'acme', store)).toMatchObject({ rows: {} })
      const moved = withRecords(store, there, { tenant: 'acme', env: {} })
      expect((await moved.audit({ confirm: true })).clean).toBe(true)
      expect((await moved.list().page()).items).toHaveLength(8)
      await home.close()
      await there.close()
    },
    60_000,
  )

  it('refuses a tenant that is there already, and the files of others', async () => {
    const home = aDatabase()
    const there = aDatabase()
    const { files, store } = await lively(home)
    await withRecords(memory(), there, { tenant: 'acme', env: {} }).upload('x', 'x')
    await expect(moveTenant(home, there, 'acme', store)).rejects.toMatchObject({ code: 'conflict' })
    const other = memory()
    await withRecords(other, aDatabase(), { tenant: 'acme', env: {} }).audit()
    await expect(moveTenant(home, aDatabase(), 'acme', other)).rejects.toMatchObject({ code: 'conflict' })
    await expect(moveTenant(home, there, 'nobody', store)).rejects.toMatchObject({ code: 'not-found' })
    await files.upload('still.txt', 'here')
    await home.close()
    await there.close()
  }, 60_000)
})

async function stateIn(engine: Engine): Promise<string | undefined> {
  return (await listTenants(engine))[0]?.state
}

/** Engines of a process that dies at its batch number `point`. */
function dying(point: number, kind: 'before' | 'after') {
  let batches = 0
  const assertAlive = () => {
    if (batches >= point) throw new Error('killed')
  }
  return (engine: Engine): Engine =>
    Object.assign(Object.create(engine), {
      async batch(...args: Parameters<Engine['batch']>) {
        assertAlive()
        batches++
        if (kind === 'before') assertAlive()
        const result = await engine.batch(...args)
        assertAlive()
        return result
      },
      async query(...args: Parameters<Engine['query']>) {
        assertAlive()
        return engine.query(...args)
      },
    })
}
