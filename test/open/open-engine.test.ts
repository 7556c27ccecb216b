import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open, openEngine } from '../../src/open.ts'
import { hasCode } from '../support/has-code.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-engine-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('openEngine', () => {
  it('opens one SQLite file, whether named relative, absolute or as a URL', async () => {
    const path = join(folder, 'a b.db')
    const urls = [
      `sqlite:${path}`,
      `sqlite://${path}`,
      `sqlite:${relative(process.cwd(), path)}`,
      `SQLITE:${path.replace(' ', '%20')}`,
    ]
    for (const [index, url] of urls.entries()) {
      const engine = await openEngine(url, { env: {} })
      if (index === 0) await engine.batch([['CREATE TABLE seen (url TEXT)']])
      await engine.batch([['INSERT INTO seen VALUES (?)', url]])
      const rows = await engine.query(['SELECT url FROM seen'])
      expect(rows).toHaveLength(index + 1)
      await engine.close()
    }
    const inMemory = await openEngine('sqlite::memory:')
    expect(inMemory.name).toBe('sqlite')
    await inMemory.close()
  })

  it('opens PostgreSQL and rqlite without connecting to them', async () => {
    const env = { DATABASE_URL: 'postgres://app:secret@db/app', PGPASSWORD: 'secret' }
    for (const [url, name] of [
      ['postgres://app@db:5432/app?schema=files', 'postgres'],
      ['postgresql://db/app', 'postgres'],
      ['postgres:', 'postgres'],
      ['rqlite://a:4001,b:4001', 'rqlite'],
      ['rqlites://a', 'rqlite'],
    ] as const) {
      const engine = await openEngine(url, { env })
      expect(engine.name).toBe(name)
      await engine.close()
    }
  })

  it.each([
    ['mysql://db/app', /known are sqlite:/],
    ['records.db', /known are sqlite:/],
    ['sqlite:', /name the database file/],
    ['sqlite://records.db', /sqlite:\/\/ takes an absolute path/],
    ['sqlite:./a.db?mode=ro', /takes no parameters/],
    ['postgres:', /DATABASE_URL, which is not set/],
    ['postgres://app:hunter2@db/app', /PGPASSWORD/],
    ['postgres://app:hunt/er2@db/app', /PGPASSWORD/],
    ['postgres://app@db/app?password=hunter2', /PGPASSWORD/],
    ['rqlite://admin:hunter2@db:4001', /STOWAGE_RQLITE_PASSWORD/],
    ['rqlite://', /name the nodes/],
    ['rqlite://a:4001,', /name the nodes/],
  ])('refuses %s', async (url, message) => {
    const failure = await openEngine(url, { env: {} }).catch(error => error)
    expect(failure).toSatisfy(hasCode('invalid-argument'))
    expect(failure.message).toMatch(message)
    expect(failure.message).not.toContain('hunt')
  })
})

describe('open with records', () => {
  it('gives files whose records are in the database', async () => {
    const files = await open(`file:${join(folder, 'data')}`, {
      records: `sqlite:${join(folder, 'records.db')}`,
      tenant: 'acme',
      env: {},
    })
    expect(files.tenantId).toBe('acme')
    await files.upload('a.txt', 'a')
    expect(await files.physicalKey('a.txt')).toMatch(/^acme\/a\..{26}\.txt$/)
    await files.close()
    const again = await open(`file:${join(folder, 'data')}`, {
      records: `sqlite:${join(folder, 'records.db')}`,
      env: { STOWAGE_TENANT_ID: 'acme' },
      recordsOptions: { restoreMs: 1000 },
    })
    expect(await again.exists('a.txt')).toBe(true)
    await again.close()
  })

  it('refuses a database or a tenant that is none', async () => {
    await expect(open('memory:', { records: 'nowhere' })).rejects.toSatisfy(hasCode('invalid-argument'))
    await expect(open('memory:', { records: 'sqlite::memory:', tenant: '../up' })).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
  })
})
