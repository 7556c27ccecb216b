import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'

/** A folder of its own for each test of a file. Call it once, outside of tests. */
export function theRoot() {
  let root: string | undefined
  const providers: StorageProvider[] = []
  afterEach(async () => {
    for (const files of providers.splice(0)) await files.close()
    if (root !== undefined) await rm(root, { recursive: true })
    root = undefined
  })

  async function path(...names: string[]): Promise<string> {
    root ??= await mkdtemp(join(tmpdir(), 'stowage-local-'))
    return join(root, ...names)
  }

  return {
    path,
    async files(options: Partial<Parameters<typeof local>[0]> = {}): Promise<StorageProvider> {
      const files = local({ root: await path(), durability: 'process', ...options })
      providers.push(files)
      return files
    },
    /** Every file and folder in it, what the adapter keeps for itself left out. */
    async entries(): Promise<string[]> {
      const all = await readdir(await path(), { recursive: true })
      return all.filter(name => !/^\.stowage(?:\/|$)/.test(name)).sort()
    },
    /** Files left in `.stowage`: temporary ones, locks and attributes. */
    async own(): Promise<{ tmp: string[]; locks: string[]; meta: string[] }> {
      const list = async (name: string) =>
        (await readdir(await path('.stowage', name), { recursive: true, withFileTypes: true }))
          .filter(entry => entry.isFile())
          .map(entry => entry.name)
      const locks = (await list('locks')).filter(name => !name.endsWith('.owner'))
      return { tmp: await list('tmp'), locks, meta: await list('meta') }
    },
  }
}

export async function keysOf(files: StorageProvider, options: Parameters<StorageProvider['list']>[0] = {}) {
  const names: string[] = []
  for await (const entry of files.list(options))
    names.push(entry.kind === 'object' ? entry.key : entry.prefix)
  return names
}
