import { PGlite } from '@electric-sql/pglite'
import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import { dropTenant } from '../../src/records/drop-tenant.ts'
import {
  type RecordedFiles,
  type RecordsOptions,
  upgradeTables,
  withRecords,
} from '../../src/records/index.ts'
import { markDropping } from '../../src/records/tenants.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { signing } from '../support/recorded.ts'
import { MAILS } from './tenant-upgrades.ts'

interface World {
  readonly store: StorageProvider
  readonly engine: Engine
  files(tenant: string, options?: RecordsOptions): RecordedFiles
  stored(prefix?: string): Promise<string[]>
  tables(): Promise<string[]>
}

function world(): World {
  const store = memory({ signing })
  const engine = sqlite({ path: ':memory:' })
  return {
    store,
    engine,
    files: (tenant, options = {}) => withRecords(store, engine, { tenant, ...options }),
    async stored(prefix) {
      const keys: string[] = []
      for await (const entry of store.list(prefix === undefined ? {} : { prefix }))
        if (entry.kind === 'object') keys.push(entry.key)
      return keys
    },
    async tables() {
      const rows = await engine.query(["SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"])
      return rows.map(row => String(row.name)).filter(name => name.startsWith('t_'))
    },
  }
}

describe('dropTenant', () => {
  it('deletes files, trash, staged uploads and old bytes, then every table of that tenant and no other', async () => {
    const { store, engine, files, stored, tables } = world()
    const app = [
      {
        version: 1,
        creates: ['mails'],
        statements: ({ table }: { table(name: string): string }) => [
          `CREATE TABLE ${table('mails')} (id TEXT PRIMARY KEY)`,
        ],
      },
    ]
    const acme = files('a', { restoreMs: 86_400_000 })
    for (const id of ['a', 'ab', 'a_b']) {
      await files(id).upload('kept.txt', id)
      await upgradeTables(engine, id, 'app', app)
    }
    for (let i = 0; i < 12; i++) await acme.upload(`many/${i}.txt`, String(i))
    await acme.upload('replaced.txt', 'one')
    await acme.upload('replaced.txt', 'two')
    await acme.delete('many/3.txt')
    const { uploadId, url } = await acme.signedUpload('staged.bin', { size: 4, expiresIn: 600 })
    expect(uploadId).toBeDefined()
    await store.upload(`a/.stowage/staging/${uploadId}`, 'late')
    expect(url).toContain('http')
    await store.upload('a/photo.01j8z6q4n3m2k1h0g9f8e7d6c5.jpg', 'an orphan')
    await store.upload('a/of-somebody-else', 'stays')

    const report = await dropTenant(store, engine, 'a', {})
    expect(report).toEqual({ tenant: 'a', deleted: 13, orphans: 1, foreign: 1 })
    expect(await stored('a/')).toEqual(['a/of-somebody-else'])
    expect((await tables()).filter(name => name.startsWith('t_a__'))).toEqual([])
    for (const id of ['ab', 'a_b']) {
      expect(await (await files(id).download('kept.txt')).text()).toBe(id)
      expect(await tables()).toContain(`t_${id}__mails`)
    }
    for (const table of ['stowage_tenants', 'stowage_tables', 'stowage_upgrades']) {
      const column = table === 'stowage_tenants' ? 'id' : 'tenant'
      expect(await engine.query([`SELECT * FROM ${table} WHERE ${column} = 'a'`])).toEqual([])
    }
    // The name is free again, with nothing of what was there.
    expect(await files('a').exists('kept.txt')).toBe(false)
    await files('a').upload('kept.txt', 'new')
  })

  it('lets nobody open the tenant from its beginning on', async () => {
    const { engine, files } = world()
    await files('a').upload('x', 'x')
    await markDropping(engine, 'a')
    for (const work of [files('a').upload('y', 'y'), files('a').info('x'), files('a').recover()])
      await expect(work).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('dropped'),
      })
  })

  it('stops at what can not be deleted, and goes on when it is called again', async () => {
    const { store, engine, files, stored, tables } = world()
    await files('a').upload('free.txt', '1')
    await files('a').upload('held.txt', '2')
    const holding = forward(store, {
      async deleteMany(keys, options) {
        const all: string[] = []
        for await (const key of keys) all.push(typeof key === 'string' ? key : key.key)
        const free = all.filter(key => !key.includes('held'))
        const results = await store.deleteMany(free, options)
        return all.map(
          key =>
            results.find(result => result.key === key) ?? {
              key,
              status: 'error' as const,
              error: new StorageError('permission-denied', 'delete: a hold is on it', { key }),
            },
        )
      },
    })
    const clock = { patienceMs: 0, backoffMs: { first: 0 } }
    await expect(dropTenant(holding, engine, 'a', clock)).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringMatching(/1 files and \d jobs of the tenant a .*a hold is on it.*dropping/),
    })
    await expect(files('a').info('held.txt')).rejects.toMatchObject({ code: 'conflict' })
    expect((await stored('a/')).filter(key => !key.includes('.stowage'))).toHaveLength(1)
    expect(await tables()).toContain('t_a__files')

    expect(await dropTenant(store, engine, 'a', clock)).toMatchObject({ deleted: 1 })
    expect(await stored('a/')).toEqual([])
    expect(await tables()).toEqual([])
  })

  it('removes no table while a writer is under way, and nothing of it is lost', async () => {
    const { store, engine, files, stored } = world()
    let publish = () => {}
    const held = new Promise<void>(resolve => {
      publish = resolve
    })
    const writer = withRecords(
      forward(store, {
        async upload(key, body, options) {
          const info = await store.upload(key, body, options)
          await held
          return info
        },
      }),
      engine,
      { tenant: 'a', owner: 'elsewhere' },
    )
    await files('a').upload('x', 'x')
    const upload = writer.upload('late.txt', 'late')
    while (!(await stored('a/')).some(key => key.includes('late'))) await new Promise(setImmediate)
    const waits: number[] = []
    const dropped = dropTenant(store, engine, 'a', {
      async wait(ms, signal) {
        waits.push(ms)
        publish()
        await new Promise(setImmediate)
        signal?.throwIfAborted()
      },
    })
    await upload
    expect(await dropped).toMatchObject({ deleted: 2 })
    expect(waits.length).toBeGreaterThan(0)
    expect(await stored('a/')).toEqual([])
  })

  it('ends on PostgreSQL as on SQLite', async () => {
    const engine = postgres({ client: new PGlite() })
    const store = memory()
    const files = withRecords(store, engine, { tenant: 'a', env: {} })
    await files.upload('x', 'x')
    await files.tenant('ab').upload('y', 'y')
    await upgradeTables(engine, 'a', 'app', MAILS)
    expect(await dropTenant(store, engine, 'a')).toMatchObject({ deleted: 1 })
    const left = await engine.query(["SELECT name FROM stowage_tables WHERE tenant = 'a'"])
    expect(left).toEqual([])
    for (const table of ['files', 'mails'])
      await expect(engine.query([`SELECT 1 AS one FROM t_a__${table}`])).rejects.toThrow()
    expect(await (await files.tenant('ab').download('y')).text()).toBe('y')
  }, 60_000)

  it('refuses the store of others, and one that has none of the files', async () => {
    const { store, engine, files } = world()
    await files('a').upload('x', 'x')
    const empty = memory()
    await expect(dropTenant(empty, engine, 'a')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('none of the files'),
    })
    await files('a').audit()
    const other = memory()
    await withRecords(other, sqlite({ path: ':memory:' }), { tenant: 'a' }).audit()
    await expect(dropTenant(other, engine, 'a')).rejects.toMatchObject({ code: 'conflict' })
    await expect(dropTenant(store, engine, 'nobody')).rejects.toMatchObject({ code: 'not-found' })
    expect(await (await files('a').download('x')).text()).toBe('x')
  })
})
