import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type SqliteEngine, sqlite } from '../../../src/sql/sqlite/index.ts'
import { libsql, sqliteDrivers } from './drivers.ts'
import { theFolder } from './the-folder.ts'

const folder = theFolder()

async function bytesOf(file: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of file) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* streamOf(...parts: Uint8Array[]) {
  yield* parts
}

const count = async (engine: SqliteEngine) =>
  Number((await engine.query(['SELECT COUNT(*) AS n FROM a']))[0]!.n)

for (const { name, open } of await sqliteDrivers()) {
  describe(`a database file with ${name}`, () => {
    async function filled(path: string, rows: number) {
      const opened = open(path)
      const engine = opened.engine as SqliteEngine
      await engine.batch([[`CREATE TABLE a (k INTEGER PRIMARY KEY, v ${engine.types.blob})`]])
      for (let k = 0; k < rows; k++)
        await engine.batch([['INSERT INTO a (k, v) VALUES (?, ?)', BigInt(k), new Uint8Array(5_000).fill(k)]])
      return { ...opened, engine }
    }

    test('is of one moment while others write, and has no WAL', async () => {
      const { engine, close } = await filled(folder.path(), 20)
      const writing = Promise.all(
        Array.from({ length: 30 }, (_, k) =>
          engine.batch([['INSERT INTO a (k, v) VALUES (?, ?)', BigInt(100 + k), new Uint8Array(10)]]),
        ),
      )
      const copy = await bytesOf(engine.backup())
      await writing
      expect(copy.subarray(0, 15).toString()).toBe('SQLite format 3')
      expect([...copy.subarray(18, 20)]).toEqual([1, 1])
      const path = folder.path()
      writeFileSync(path, copy)
      const inside = engine.inspect(path)
      expect(await count(inside)).toBeGreaterThanOrEqual(20)
      expect(await inside.query(['SELECT integrity_check FROM pragma_integrity_check'])).toEqual([
        { integrity_check: 'ok' },
      ])
      await inside.close()
      await close()
    })

    test('says by its state that something has changed, whoever changed it', async () => {
      const path = folder.path()
      const { engine, close } = await filled(path, 1)
      const seen = [await engine.state(), await engine.state()]
      expect(seen[0]).toBe(seen[1])
      await engine.batch([['DELETE FROM a']])
      seen.push(await engine.state())
      const other = open(path)
      await other.engine.batch([['INSERT INTO a (k) VALUES (1)']])
      seen.push(await engine.state())
      await other.engine.batch([['CREATE TABLE b (k INTEGER)']])
      seen.push(await engine.state())
      expect(new Set(seen).size).toBe(4)
      await other.close()
      await close()
    })
  })
}

describe('loading a database file', () => {
  async function withRows(rows: number) {
    const path = folder.path()
    // One library in one process: two would undo each other's locks.
    const engine = sqlite({ path, driver: 'libsql' })
    await engine.batch([['CREATE TABLE a (k INTEGER PRIMARY KEY)']])
    await Promise.all(
      Array.from({ length: rows }, (_, k) => engine.batch([['INSERT INTO a (k) VALUES (?)', BigInt(k)]])),
    )
    return { path, engine }
  }

  test('replaces a database, and makes one where there is none', async () => {
    const { engine } = await withRows(5)
    const copy = await bytesOf(engine.backup())
    const target = await withRows(2)
    await target.engine.load(streamOf(copy.subarray(0, 100), copy.subarray(100)))
    expect(await count(target.engine)).toBe(5)
    const fresh = sqlite({ path: folder.path() })
    await fresh.load(streamOf(copy))
    expect(await count(fresh)).toBe(5)
    // What a database that was removed has left is not taken for this one's.
    const path = folder.path()
    writeFileSync(`${path}-wal`, 'the rest of another')
    const again = sqlite({ path })
    await again.load(streamOf(copy))
    expect(await count(again)).toBe(5)
    for (const one of [engine, target.engine, fresh, again]) await one.close()
  })

  test('refuses while another has it open, and leaves it as it was', async () => {
    const { engine } = await withRows(5)
    const copy = await bytesOf(engine.backup())
    const { path, engine: target } = await withRows(2)
    const other = libsql.database(path)
    other.exec('SELECT k FROM a')
    await expect(target.load(streamOf(copy))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another process has the database open'),
    })
    other.exec('INSERT INTO a (k) VALUES (77)')
    expect(await count(target)).toBe(3)
    other.close()
    await target.load(streamOf(copy))
    expect(await count(target)).toBe(5)
    for (const one of [engine, target]) await one.close()
  })

  test('refuses what is no whole file, and leaves the database as it was', async () => {
    const { engine } = await withRows(3_000)
    const copy = await bytesOf(engine.backup())
    const { path, engine: target } = await withRows(2)
    const broken = Buffer.from(copy)
    broken.fill(7, 4096, 4096 + 2_000)
    for (const file of [Buffer.from('nothing of the kind'), copy.subarray(0, copy.length - 4096), broken])
      await expect(target.load(streamOf(file))).rejects.toMatchObject({ code: 'checksum-mismatch' })
    await expect(target.load(streamOf())).rejects.toMatchObject({ code: 'checksum-mismatch' })
    expect(await count(target)).toBe(2)
    expect(existsSync(`${path}.loading-${process.pid}`)).toBe(false)
    await target.close()
    const damaged = folder.path()
    writeFileSync(damaged, 'no database at all, but somebody may miss it')
    await expect(sqlite({ path: damaged }).load(streamOf(copy))).rejects.toMatchObject({ code: 'conflict' })
    expect(readFileSync(damaged, 'utf8')).toContain('somebody may miss it')
    await expect(sqlite({ path: ':memory:' }).load(streamOf(copy))).rejects.toMatchObject({
      code: 'unsupported',
    })
    await engine.close()
  })
})
