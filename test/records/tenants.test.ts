import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { build } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import {
  createTenant,
  listTenants,
  tenantStatus,
  tenantTable,
  type Upgrade,
  upgradeTables,
  withRecords,
} from '../../src/records/index.ts'
import { UPGRADES } from '../../src/records/schema.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { rqlite } from '../../src/sql/rqlite/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { signing } from '../support/recorded.ts'
import { startRqlite } from '../support/rqlite.ts'
import { MAILS } from './tenant-upgrades.ts'

/** Inside node_modules, so that a process finds the packages. */
const cache = join(import.meta.dirname, '../../node_modules/.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'stowage-tenants-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const newId = () => crypto.randomUUID()
const inMemory = () => sqlite({ path: ':memory:' })

async function appliedSteps(engine: Engine, tenant: string) {
  const rows = await engine.query([
    'SELECT namespace, version FROM stowage_upgrades WHERE tenant = ? ORDER BY namespace, version',
    tenant,
  ])
  return rows.map(row => `${row.namespace} ${row.version}`)
}

describe('ids of tenants', () => {
  it('are lower-case words with single underscores, and nothing else comes near a table', async () => {
    const engine = inMemory()
    const asked: string[] = []
    const watched: Engine = {
      ...engine,
      types: engine.types,
      batch: (statements, options) => {
        asked.push(...statements.map(([sql]) => sql))
        return engine.batch(statements, options)
      },
      query: (statement, options) => {
        asked.push(statement[0])
        return engine.query(statement, options)
      },
    }
    const refused: unknown[] = [
      '',
      'a__b',
      '_a',
      'a_',
      'A',
      'aB',
      'ä',
      'a-b',
      'a b',
      'a.b',
      'a/b',
      '..',
      'a'.repeat(33),
      'a\n',
      'a\0',
      "a'; DROP TABLE stowage_tenants; --",
      'a" (x)',
      't_a__files',
      '%',
      'a%',
      '😀',
      7,
      null,
      {},
    ]
    for (const id of refused) {
      await expect(createTenant(watched, id as string, { newId })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
      await expect(upgradeTables(watched, id as string, 'app', MAILS)).rejects.toMatchObject({
        code: 'invalid-argument',
      })
      expect(() => tenantTable(id as string, 'files')).toThrow(/tenant's id/)
      if (id !== null)
        expect(() => withRecords(memory(), watched, { tenant: id as string, env: {} })).toThrow(/tenant/)
    }
    expect(asked).toEqual([])
    for (const id of ['a', 'ab', 'a_b', 'sqlite', 't', '0', 'stowage', 'a'.repeat(32)])
      expect(await createTenant(engine, id, { newId })).toMatchObject({ id, root: `${id}/`, state: 'active' })
    expect((await listTenants(engine)).map(tenant => tenant.id)).toEqual([
      '0',
      'a',
      'a_b',
      'a'.repeat(32),
      'ab',
      'sqlite',
      'stowage',
      't',
    ])
  })

  it('name tables that are looked up in the registry', async () => {
    const engine = inMemory()
    for (const id of ['a', 'a_b', 'sqlite']) await createTenant(engine, id, { newId })
    const rows = await engine.query(["SELECT name FROM stowage_tables WHERE tenant = 'a' ORDER BY name"])
    expect(rows.map(row => row.name)).toEqual(
      [...UPGRADES.flatMap(step => step.creates ?? [])].sort().map(name => `t_a__${name}`),
    )
    const real = await engine.query([
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 2) = 't_' ORDER BY name",
    ])
    const registered = await engine.query(['SELECT name FROM stowage_tables ORDER BY name'])
    expect(real).toEqual(registered)
    expect(() => tenantTable('a', 'b__files')).toThrow(/table's name/)
    expect(() => tenantTable('a', 'files; DROP')).toThrow(/table's name/)
  })

  it('come from STOWAGE_TENANT_ID where the code names none', async () => {
    const engine = inMemory()
    const files = (tenant: string | undefined, env: Record<string, string>) =>
      withRecords(memory(), engine, { ...(tenant === undefined ? {} : { tenant }), env })
    expect(files(undefined, { STOWAGE_TENANT_ID: 'acme' }).tenantId).toBe('acme')
    expect(files('own', { STOWAGE_TENANT_ID: 'acme' }).tenantId).toBe('own')
    expect(files(undefined, {}).tenantId).toBe('default')
    expect(files(undefined, { STOWAGE_TENANT_ID: '' }).tenantId).toBe('default')
    expect(() => files(undefined, { STOWAGE_TENANT_ID: 'a__b' })).toThrow(/tenant's id/)
  })
})

describe('111: a tenant', () => {
  it('never sees rows, keys or signed URLs of a, ab and a_b', async () => {
    const engine = inMemory()
    const store = memory({ signing })
    const root = withRecords(store, engine, { tenant: 'a' })
    const ids = ['a', 'ab', 'a_b']
    for (const id of ids) {
      const files = root.tenant(id)
      await files.upload('same/key.txt', id, { metadata: { owner: id } })
      await files.upload(`only-${id}.txt`, id)
      await files.signedUrl('same/key.txt', { expiresIn: 60 })
    }
    for (const id of ids) {
      const files = root.tenant(id)
      const keys: string[] = []
      for await (const entry of files.list()) if (entry.kind === 'object') keys.push(entry.key)
      expect(keys).toEqual([`only-${id}.txt`, 'same/key.txt'])
      const found: string[] = []
      for await (const entry of files.find({ prefix: 'same/' }))
        if (entry.kind === 'object') found.push(String(entry.metadata?.owner))
      expect(found).toEqual([id])
      expect(await (await files.download('same/key.txt')).text()).toBe(id)
      expect(await files.physicalKey('same/key.txt')).toMatch(new RegExp(`^${id}/same/key\\.`))
      expect(new URL((await files.signedUrl('same/key.txt', { expiresIn: 60 })).url).pathname).toContain(
        `/${id}/same/`,
      )
      for (const other of ids.filter(one => one !== id)) {
        expect(await files.exists(`only-${other}.txt`)).toBe(false)
        // Neither the other's physical key nor a way up reaches it.
        const physical = await root.tenant(other).physicalKey('same/key.txt')
        for (const key of [physical, `../${physical}`, `../${other}/same/key.txt`]) {
          await expect(files.download(key)).rejects.toMatchObject({
            code: expect.stringMatching(/^(not-found|invalid-key)$/),
          })
          await expect(files.signedUrl(key, { expiresIn: 60 })).rejects.toMatchObject({
            code: expect.stringMatching(/^(not-found|invalid-key)$/),
          })
        }
        expect(await files.delete(`only-${other}.txt`)).toMatchObject({ status: 'missing' })
      }
    }
    await root.tenant('a').deleteMany(['same/key.txt', 'only-a.txt'])
    expect(await root.tenant('ab').exists('same/key.txt')).toBe(true)
    expect(await root.tenant('a_b').exists('same/key.txt')).toBe(true)
    const { uploadId } = await root.tenant('ab').signedUpload('x', { size: 1, expiresIn: 60 })
    await expect(root.tenant('a_b').finalize(uploadId!)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('has a root of its own: overlapping ones are refused in both directions', async () => {
    const engine = inMemory()
    await createTenant(engine, 'middle', { root: 'x/y/', newId })
    for (const [id, root] of [
      ['above', 'x/'],
      ['within', 'x/y/z/'],
      ['same', 'x/y/'],
      ['all', ''],
    ] as const)
      await expect(createTenant(engine, id, { root, newId })).rejects.toMatchObject({ code: 'conflict' })
    await createTenant(engine, 'beside', { root: 'x/yy/', newId })
    await expect(createTenant(engine, 'middle', { root: 'elsewhere/', newId })).rejects.toMatchObject({
      code: 'conflict',
    })
    const whole = inMemory()
    await createTenant(whole, 'all', { root: '', newId })
    await expect(createTenant(whole, 'any', { newId })).rejects.toMatchObject({ code: 'conflict' })
    for (const root of ['x', '/x/', '/'])
      await expect(createTenant(inMemory(), 'a', { root, newId })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
    expect((await listTenants(whole)).map(tenant => tenant.id)).toEqual(['all'])
  })
})

describe('upgrades', () => {
  it('run once when eight processes start on one SQLite file at once', async () => {
    const worker = join(folder, 'worker.mjs')
    await build({
      entryPoints: [join(import.meta.dirname, 'tenant-worker.ts')],
      outfile: worker,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'error',
    })
    const path = join(folder, 'eight.db')
    const startAt = Date.now() + 3_000
    const ends = await Promise.all(
      Array.from({ length: 8 }, () => run(worker, [path, 'acme', String(startAt)])),
    )
    expect(ends).toEqual(Array.from({ length: 8 }, () => ({ code: 0, stdout: 'done', stderr: '' })))
    const engine = sqlite({ path })
    expect(await appliedSteps(engine, 'acme')).toEqual(allSteps())
    expect(await engine.query(['SELECT COUNT(*) AS files FROM t_acme__files'])).toEqual([{ files: 8n }])
    await engine.close()
  }, 60_000)

  it('run once for eight clients of PostgreSQL', async () => {
    const db = new PGlite()
    await eightClients(() => postgres({ client: db }))
    await db.close()
  }, 60_000)

  it('run once for eight clients of rqlite', async () => {
    const cluster = await startRqlite()
    const engines: Engine[] = []
    try {
      await eightClients(() => {
        const engine = rqlite({ url: cluster.nodes.map(node => node.url) })
        engines.push(engine)
        return engine
      })
    } finally {
      for (const engine of engines) await engine.close()
      await cluster.stop()
    }
  }, 60_000)

  it('that fail leave the tenant as it was, and the others untouched', async () => {
    for (const engine of [inMemory(), postgres({ client: new PGlite() })]) {
      const broken: Upgrade[] = [
        ...MAILS,
        {
          version: 3,
          creates: ['extra'],
          statements: ({ table, types }) => [
            `CREATE TABLE ${table('extra')} (id ${types.text} PRIMARY KEY)`,
            `CREATE INDEX ${table('extra_none')} ON ${table('extra')} (nowhere)`,
          ],
        },
      ]
      await createTenant(engine, 'good', { newId })
      await createTenant(engine, 'bad', { newId })
      await upgradeTables(engine, 'good', 'app', MAILS)
      await expect(upgradeTables(engine, 'bad', 'app', broken)).rejects.toMatchObject({
        message: expect.stringMatching(/step 3 of app for the tenant bad failed; the tenant stays at 2/),
      })
      expect(await appliedSteps(engine, 'bad')).toEqual(allSteps())
      expect(await appliedSteps(engine, 'good')).toEqual(allSteps())
      const tables = await engine.query([
        "SELECT name FROM stowage_tables WHERE namespace = 'app' ORDER BY name",
      ])
      expect(tables.map(row => row.name)).toEqual(['t_bad__mails', 't_good__mails'])
      await expect(engine.query(['SELECT * FROM t_bad__extra'])).rejects.toThrow()
      // It still works, and the mended step runs.
      await withRecords(memory(), engine, { tenant: 'bad' }).upload('a', 'b')
      const mended: Upgrade = { version: 3, statements: () => ['SELECT 1'] }
      expect(await upgradeTables(engine, 'bad', 'app', [...MAILS, mended])).toBe(3)
      await engine.close()
    }
  }, 60_000)

  it('112: leave an application that knows one step less working', async () => {
    for (const engine of [inMemory(), postgres({ client: new PGlite() })]) {
      const store = memory({ signing })
      const old = withRecords(store, engine, { tenant: 'a', replaceGraceMs: 0, restoreMs: 60_000 })
      await old.upload('before.txt', 'before')
      await upgradeTables(engine, 'a', 'stowage', [...UPGRADES, nextStep()])
      // A process of the newer version has begun, the older one goes on, and another older one starts.
      for (const files of [
        old,
        withRecords(store, engine, { tenant: 'a', replaceGraceMs: 0, restoreMs: 60_000 }),
      ]) {
        await files.upload('a.txt', 'one', { metadata: { album: 'x' } })
        await files.upload('a.txt', 'two', { metadata: { album: 'y' } })
        await files.copy('a.txt', 'b.txt')
        await files.move('b.txt', 'c.txt')
        expect(await (await files.download('c.txt')).text()).toBe('two')
        const { uploadId } = await files.signedUpload('staged.txt', { size: 3, expiresIn: 60 })
        await store.upload(`a/.stowage/staging/${uploadId}`, 'abc')
        await files.finalize(uploadId!)
        await files.delete('a.txt')
        await files.restore('a.txt')
        await store.upload('a/legacy/one.txt', 'found')
        expect((await files.adopt({ prefix: 'legacy/' })).adopted).toBe(1)
        const found: string[] = []
        for await (const entry of files.find({ metadata: { album: 'y' } }))
          found.push((entry as { key: string }).key)
        expect(found).toEqual(['a.txt', 'c.txt'])
        expect((await files.audit()).clean).toBe(true)
        await files.deleteMany(files.list())
        await files.recover()
        expect(await (await files.list().page()).items).toEqual([])
        await store.deleteMany(store.list({ prefix: 'a/legacy/' }))
        await engine.batch([[`DELETE FROM ${tenantTable('a', 'retired')}`]])
      }
      expect(await tenantStatus(engine, 'a')).toMatchObject({
        schemaVersion: UPGRADES.length + 1,
        latestVersion: UPGRADES.length,
      })
      await engine.close()
    }
  }, 60_000)
})

function allSteps(): string[] {
  return ['app 1', 'app 2', ...UPGRADES.map(step => `stowage ${step.version}`)]
}

/** What a later version may add. */
function nextStep(): Upgrade {
  return {
    version: UPGRADES.length + 1,
    creates: ['later'],
    statements: ({ table, types }) => [
      `ALTER TABLE ${table('files')} ADD COLUMN later_text ${types.text}`,
      `ALTER TABLE ${table('journal')} ADD COLUMN later_number ${types.integer} NOT NULL DEFAULT 0`,
      `ALTER TABLE ${table('trash')} ADD COLUMN later_text ${types.text}`,
      `CREATE TABLE ${table('later')} (id ${types.text} PRIMARY KEY)`,
      `CREATE INDEX ${table('files_later')} ON ${table('files')} (later_text)`,
    ],
  }
}

async function eightClients(open: () => Engine): Promise<void> {
  const store = memory()
  await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const engine = open()
      await withRecords(store, engine, { tenant: 'acme', owner: `client-${index}` }).upload(
        `from-${index}`,
        'bytes',
      )
      await upgradeTables(engine, 'acme', 'app', MAILS)
    }),
  )
  const engine = open()
  expect(await appliedSteps(engine, 'acme')).toEqual(allSteps())
  expect(await engine.query(['SELECT COUNT(*) AS files FROM t_acme__files'])).toEqual([{ files: 8n }])
}

function run(script: string, args: readonly string[]) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}
