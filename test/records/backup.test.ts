import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import {
  backupRecords,
  listBackups,
  restoreRecords,
  upgradeTables,
  watchBackups,
  withRecords,
} from '../../src/records/index.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { rqlite } from '../../src/sql/rqlite/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { startRqlite } from '../support/rqlite.ts'
import { MAILS } from './tenant-upgrades.ts'

const folder = mkdtempSync(join(tmpdir(), 'stowage-backup-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const aPath = () => join(folder, `${++files}.db`)
const openFile = (path: string) => sqlite({ path })

async function keysOf(store: StorageProvider): Promise<string[]> {
  const keys: string[] = []
  for await (const entry of store.list()) if (entry.kind === 'object') keys.push(entry.key)
  return keys
}

/** Two tenants with files and mails. */
async function filled() {
  const path = aPath()
  const engine = sqlite({ path })
  const store = memory()
  const backups = memory()
  const acme = withRecords(store, engine, { tenant: 'acme', env: {} })
  for (const id of ['acme', 'b']) {
    const own = acme.tenant(id)
    for (let i = 0; i < 5; i++) await own.upload(`${i}.txt`, `${id} ${i}`, { metadata: { i: String(i) } })
    await own.audit()
    await upgradeTables(engine, id, 'app', MAILS)
    await engine.batch([
      [`INSERT INTO t_${id}__mails (id, raw, received) VALUES (?, ?, ?)`, 'm', new Uint8Array([0, 255]), 1n],
    ])
  }
  return { path, engine, store, backups, acme }
}

describe('a backup of records', () => {
  it('is written, read back, and named with time and epoch; restored it is the same, in a new epoch', async () => {
    const { engine, store, backups, acme } = await filled()
    const manifest = await backupRecords(engine, backups, {
      now: () => Date.UTC(2026, 10, 26, 13, 28),
      newId: () => 'x1',
    })
    expect(manifest).toMatchObject({
      name: '20261126T132800Z-e1-x1',
      engine: 'sqlite',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      tenants: [
        { id: 'acme', root: 'acme/', epoch: 1, files: 5, jobs: 0 },
        { id: 'b', root: 'b/', epoch: 1, files: 5, jobs: 0 },
      ],
      rows: { t_acme__mails: 1, t_b__metadata: 5, stowage_tenants: 2 },
    })
    expect(await keysOf(backups)).toEqual(['20261126T132800Z-e1-x1.json', '20261126T132800Z-e1-x1.sqlite'])
    expect(await listBackups(backups)).toEqual([manifest])

    const worker = withRecords(store, engine, { tenant: 'acme', env: {} })
    await worker.recover()
    const restored = sqlite({ path: aPath() })
    const report = await restoreRecords(restored, backups, store)
    expect(report).toMatchObject({
      restored: true,
      epochs: { acme: 2, b: 2 },
      backup: { name: manifest.name },
    })
    const again = withRecords(store, restored, { tenant: 'acme', env: {} })
    expect(await (await again.download('3.txt')).text()).toBe('acme 3')
    expect(await restored.query(['SELECT raw FROM t_acme__mails'])).toEqual([
      { raw: new Uint8Array([0, 255]) },
    ])
    // The database from before is an old one now, and nothing is collected before somebody has looked.
    await expect(acme.audit()).rejects.toMatchObject({ code: 'conflict' })
    await expect(again.collect({ apply: true })).rejects.toMatchObject({ code: 'conflict' })
    expect((await again.audit({ confirm: true })).clean).toBe(true)
    await again.collect({ apply: true })
    // And from the same old backup once more: never an epoch that was there before.
    const third = sqlite({ path: aPath() })
    expect((await restoreRecords(third, backups, store)).epochs).toEqual({ acme: 3, b: 3 })
    for (const one of [engine, restored, third]) await one.close()
  })

  it('refuses a database that holds something, unless it is told', async () => {
    const { engine, store, backups } = await filled()
    await backupRecords(engine, backups)
    const path = aPath()
    const target = sqlite({ path })
    await target.batch([['CREATE TABLE somebody (k TEXT)']])
    await expect(restoreRecords(target, backups, store)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('--replace'),
    })
    expect(await restoreRecords(target, backups, store, { present: 'skip' })).toMatchObject({
      restored: false,
    })
    expect(await target.query(['SELECT COUNT(*) AS n FROM somebody'])).toEqual([{ n: 0n }])
    await restoreRecords(target, backups, store, { present: 'replace' })
    await expect(target.query(['SELECT * FROM somebody'])).rejects.toThrow()
    await expect(restoreRecords(sqlite({ path: aPath() }), memory(), store)).rejects.toMatchObject({
      code: 'not-found',
    })
    const first = await restoreRecords(sqlite({ path: aPath() }), memory(), store, { ifBackupExists: true })
    expect(first).toMatchObject({ restored: false })
    // The files of other records.
    const others = memory()
    await withRecords(others, sqlite({ path: ':memory:' }), { tenant: 'acme', env: {} }).audit()
    await expect(restoreRecords(sqlite({ path: aPath() }), backups, others)).rejects.toMatchObject({
      code: 'conflict',
    })
    await engine.close()
    await target.close()
  })

  it('that comes back changed is none, and keeps the older ones', async () => {
    const { engine, backups } = await filled()
    const first = await backupRecords(engine, backups)
    const lying = forward(backups, {
      async download(key, options) {
        const bytes = await (await backups.download(key, options)).bytes()
        bytes[5_000]! ^= 1
        const changed = memory()
        await changed.upload('x', bytes)
        return changed.download('x')
      },
    })
    await expect(backupRecords(engine, lying, { keep: 1 })).rejects.toMatchObject({
      code: 'checksum-mismatch',
    })
    expect((await listBackups(backups)).map(({ name }) => name)).toEqual([first.name])
    expect(await keysOf(backups)).toHaveLength(2)
    const target = sqlite({ path: aPath() })
    await expect(restoreRecords(target, lying, memory())).rejects.toMatchObject({ code: 'checksum-mismatch' })
    expect(await target.query(['SELECT name FROM sqlite_schema'])).toEqual([])
    await engine.close()
  })

  it('keeps as many as it is told, and removes what was never finished', async () => {
    const { engine, backups } = await filled()
    let at = Date.UTC(2026, 0, 1)
    const now = () => {
      at += 1_000
      return at
    }
    await backups.upload('20251231T000000Z-e1-aa.sqlite', 'half of it')
    await backups.upload('somebody-elses.json', '{}')
    const made = []
    for (let i = 0; i < 4; i++) made.push((await backupRecords(engine, backups, { now, keep: 2 })).name)
    expect((await listBackups(backups)).map(({ name }) => name)).toEqual(made.slice(2).reverse())
    expect(await keysOf(backups)).toHaveLength(5)
    for (const keep of [0, -1, 1.5])
      await expect(backupRecords(engine, backups, { keep })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
    await engine.close()
  })

  it('of a damaged database is none', async () => {
    const { engine, path, backups } = await filled()
    const copy: Uint8Array[] = []
    for await (const chunk of engine.backup()) copy.push(chunk)
    await engine.close()
    const bytes = Buffer.concat(copy)
    bytes.fill(9, 4096 * 2, 4096 * 4)
    const damaged = `${path}.damaged`
    writeFileSync(damaged, bytes)
    const broken = sqlite({ path: damaged })
    await expect(backupRecords(broken, backups)).rejects.toThrow()
    expect(await keysOf(backups)).toEqual([])
    await broken.close()
  })

  it('is pg_dump for PostgreSQL', async () => {
    const engine = postgres({ url: 'postgres://127.0.0.1:1/nowhere' })
    for (const work of [backupRecords(engine, memory()), restoreRecords(engine, memory(), memory())])
      await expect(work).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('pg_dump'),
      })
  })
})

describe('watchBackups', () => {
  it('ships after a change only, and once more at its end', async () => {
    const { engine, backups, acme } = await filled()
    const ended = new AbortController()
    const shipped: number[] = []
    let looks = 0
    const steps = [
      async () => {},
      async () => void (await acme.upload('new.txt', 'x')),
      async () => {},
      async () => {
        await acme.upload('last.txt', 'x')
        ended.abort()
      },
    ]
    await watchBackups(engine, backups, {
      signal: ended.signal,
      everyMs: 1_000,
      onBackup: ({ tenants }) => void shipped.push(tenants[0]!.files),
      async wait(ms) {
        expect(ms).toBe(1_000)
        await steps[looks++]!()
      },
    })
    expect(shipped).toEqual([5, 6, 7])
    expect(looks).toBe(4)
    await engine.close()
  })

  it('tries again after a failure, and throws the last one', async () => {
    const { engine, backups } = await filled()
    const ended = new AbortController()
    let down = true
    const failing = forward(backups, {
      upload: (key, body, options) =>
        down ? Promise.reject(new Error('no way there')) : backups.upload(key, body, options),
    })
    const failures: unknown[] = []
    let looks = 0
    await watchBackups(engine, failing, {
      signal: ended.signal,
      onFailure: error => failures.push(error),
      async wait() {
        if (++looks === 2) down = false
        if (looks === 3) ended.abort()
      },
    })
    expect(failures).toHaveLength(2)
    expect(await listBackups(backups)).toHaveLength(1)
    down = true
    const again = new AbortController()
    again.abort()
    await expect(watchBackups(engine, failing, { signal: again.signal })).rejects.toThrow('no way there')
    await engine.close()
  })
})

it('a backup goes from SQLite to rqlite and back', async () => {
  const cluster = await startRqlite()
  const target = rqlite({ url: cluster.nodes.map(node => node.url) })
  const { engine, store, backups } = await filled()
  try {
    await backupRecords(engine, backups)
    await expect(restoreRecords(target, backups, store)).rejects.toMatchObject({ code: 'invalid-argument' })
    await restoreRecords(target, backups, store, { openFile })
    const there = withRecords(store, target, { tenant: 'acme', env: {} })
    expect(await (await there.download('3.txt')).text()).toBe('acme 3')
    const before = await target.state()
    expect(await target.state()).toBe(before)
    await there.upload('from-rqlite.txt', 'x')
    expect(await target.state()).not.toBe(before)
    const manifest = await backupRecords(target, backups, { openFile })
    expect(manifest).toMatchObject({ engine: 'rqlite', name: expect.stringContaining('-e2-') })
    const home = sqlite({ path: aPath() })
    expect((await restoreRecords(home, backups, store, { name: manifest.name })).epochs.acme).toBe(3)
    expect(await withRecords(store, home, { tenant: 'acme', env: {} }).exists('from-rqlite.txt')).toBe(true)
    await home.close()
  } finally {
    await target.close()
    await engine.close()
    await cluster.stop()
  }
}, 60_000)
