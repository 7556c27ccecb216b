import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { prefix } from '../../../src/decorators/prefix.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const within = { code: 'invalid-argument', message: expect.stringContaining("exclude 'backup/**'") }

async function filled(store: StorageProvider) {
  await store.upload('a.txt', 'a')
  await store.upload('photos/b.jpg', 'b')
  return store
}

async function keysAfter(store: StorageProvider, to: StorageProvider, options: Partial<MigrateOptions> = {}) {
  const engine = sqlite({ path: ':memory:' })
  try {
    for await (const _ of migrate({ from: store, to, manifest: engine, ...options }));
  } finally {
    await engine.close()
  }
  const keys: string[] = []
  for await (const entry of store.list()) if (entry.kind === 'object') keys.push(entry.key)
  return keys
}

describe('a destination within the source', () => {
  it('is refused, before anything is copied', async () => {
    const store = await filled(memory())
    await expect(keysAfter(store, prefix(store, 'backup/'))).rejects.toMatchObject(within)
    await expect(keysAfter(store, prefix(store, 'backup/'), { exclude: ['a.txt'] })).rejects.toMatchObject(
      within,
    )
    await expect(keysAfter(prefix(store, 'photos/'), prefix(store, 'photos/backup/'))).rejects.toMatchObject(
      within,
    )
    expect(await store.exists('backup/a.txt')).toBe(false)
  })

  it('is refused where both are folders', async () => {
    const root = mkdtempSync(join(tmpdir(), 'assert-apart-'))
    onTestFinished(() => rmSync(root, { recursive: true }))
    const signing = { baseUrl: 'http://localhost:8080', secret: 'at least sixteen characters' }
    const store = await filled(local({ root, signing }))
    await expect(keysAfter(store, local({ root: join(root, 'backup') }))).rejects.toMatchObject(within)
  })

  it('takes what is not listed, or excluded', async () => {
    const store = await filled(memory())
    expect(await keysAfter(store, prefix(store, 'backup/'), { exclude: ['backup/**'] })).toEqual([
      'a.txt',
      'backup/a.txt',
      'backup/photos/b.jpg',
      'photos/b.jpg',
    ])
    const other = await filled(memory())
    expect(await keysAfter(other, prefix(other, 'backup/'), { prefix: 'photos/' })).toEqual([
      'a.txt',
      'backup/photos/b.jpg',
      'photos/b.jpg',
    ])
  })

  it('is none that only begins alike', async () => {
    const store = await filled(memory())
    await keysAfter(prefix(store, 'photos/'), prefix(store, 'photos2/'))
    expect(await store.exists('photos2/b.jpg')).toBe(true)
  })
})
