import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const text = { contentType: 'text/plain' }

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'stowage-ending-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Stores that tell other etags of the same bytes, and no checksum in lists. */
const KINDS: Readonly<Record<string, () => Promise<[StorageProvider, StorageProvider]>>> = {
  'memory to disk': async () => [memory(), local({ root: await folder() })],
  'disk to memory': async () => [local({ root: await folder() }), memory()],
}

for (const [kind, open] of Object.entries(KINDS))
  it(`leaves records that hold over the destination alone: read, audited, copied, deleted (${kind})`, async () => {
    const [from, to] = await open()
    const engine = sqlite({ path: ':memory:' })
    const options = { env: {}, replaceGraceMs: 0 }
    await withRecords(from, engine, options).upload('before.txt', 'before', text)
    await from.upload('default/adopted.txt', 'adopted', text)
    const store = cutOver({ from, to, engine })
    const files = withRecords(store, engine, options)
    expect(await files.adopt()).toMatchObject({ adopted: 1 })
    for (let phase = 1; phase <= 6; phase++) {
      if (phase === 3) await store.backfill()
      if (phase === 4) await store.verify()
      if (phase === 6) await store.verify({ level: 'content' })
      await store.advance()
      await files.upload(`${phase}.txt`, String(phase), text)
    }
    const after = withRecords(to, engine, options)
    // Etags count where no checksum tells more.
    await engine.batch([['UPDATE t_default__files SET checksum_algorithm = NULL, checksum_value = NULL']])
    expect((await after.audit()).findings).toEqual([])
    await after.copy('before.txt', 'copy.txt')
    expect(await (await after.download('copy.txt')).text()).toBe('before')
    expect(await (await after.download('adopted.txt')).text()).toBe('adopted')
    for (const key of ['before.txt', 'adopted.txt', '1.txt', '6.txt']) await after.delete(key)
    const left: string[] = []
    for await (const entry of to.list()) if (entry.kind === 'object') left.push(entry.key)
    expect(left.filter(key => !key.includes('.stowage/'))).toHaveLength(5)
    expect((await after.audit()).findings).toEqual([])
  })
