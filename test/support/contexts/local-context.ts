import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { local } from '../../../src/adapters/local/index.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { fileServer } from '../../../src/server/index.ts'
import { smallDisk } from '../small-disk.ts'
import type { StoreContext } from './context-of.ts'

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }

/** The kit over folders, each case in one of its own. */
export async function localContext(): Promise<StoreContext> {
  const roots = new Map<StorageProvider, string>()
  const small = await smallDisk()
  let skew = 0
  const now = () => Date.now() + skew
  const open = (root: string) => local({ root, signing, now, durability: 'process' })
  return {
    async after() {
      for (const root of roots.values()) await rm(root, { recursive: true })
      await small?.remove()
    },
    context: {
      name: 'local',
      async create() {
        skew = 0
        const root = await mkdtemp(join(tmpdir(), 'stowage-local-'))
        const files = open(root)
        roots.set(files, root)
        return files
      },
      fetch: (url, init, files) => fileServer(files, { signing, now })(new Request(url, init)),
      advance(ms) {
        skew += ms
      },
      now,
      another: files => open(roots.get(files)!),
      ...(small === undefined ? {} : { createFull: () => open(join(small.path, 'root')) }),
      leftovers: files => temporaryFiles(roots.get(files)!),
    },
  }
}

async function temporaryFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}
