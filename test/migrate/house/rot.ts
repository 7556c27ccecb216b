/** Corruption under the same size and etag: on a server's disk where it keeps plain files, else on the way to the reader. */
import { open, readdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import type { MovingS3Store } from './stores.ts'

/** versitygw keeps an object as the file of its key, and its etag beside it. */
export async function rotOnVersitygw({ server, bucket }: MovingS3Store, key: string): Promise<void> {
  const path = join(server.process.folder, 'data', bucket, key)
  const { atime, mtime } = await stat(path)
  await flipByte(path)
  await utimes(path, atime, mtime)
}

/**
 * MinIO keeps large objects in parts, with checksums: it breaks off where a body is rotten. A small one it would call overloaded,
 * and ask for a minute's rest before each try.
 */
export async function rotOnMinio({ server, bucket }: MovingS3Store, key: string): Promise<void> {
  const folder = join(server.process.folder, 'data', bucket, key)
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const parts = files.filter(({ name }) => name.startsWith('part.'))
  if (parts.length === 0) throw new Error(`${key} is not in parts`)
  for (const { parentPath, name } of parts) await flipByte(join(parentPath, name))
}

/** One bit of the byte in the middle. */
async function flipByte(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const at = (await file.stat()).size >> 1
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    byte[0]! ^= 1
    await file.write(byte, 0, 1, at)
  } finally {
    await file.close()
  }
}

/** A store whose objects under `keys` have one other bit when they are read. */
export function rotten(store: StorageProvider, keys: ReadonlySet<string>): StorageProvider {
  return forward(store, {
    async download(key, options) {
      const download = await store.download(key, options)
      if (!keys.has(key)) return download
      return download.through(source => ({
        cancel: () => source.cancel(),
        async *chunks() {
          let isFirst = true
          for await (const chunk of source.chunks()) {
            const bytes = Uint8Array.from(chunk)
            if (isFirst && bytes.length > 0) {
              bytes[0]! ^= 1
              isFirst = false
            }
            yield bytes
          }
        },
      }))
    },
  })
}
