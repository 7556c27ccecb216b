import { createHash } from 'node:crypto'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'

/** Small objects of all kinds of sizes, and some large ones. */
export async function seedObjects(
  store: StorageProvider,
  { seed, count, large }: { seed: number; count: number; large: number },
): Promise<void> {
  const random = seededRandom(seed)
  const bytesOf = (size: number) => {
    const bytes = Buffer.alloc(size)
    for (let at = 0; at + 4 <= size; at += 4096) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
    return bytes
  }
  for (let at = 0; at < count; at++)
    await store.upload(`small/${at % 10}/${at}.bin`, bytesOf(Math.floor(random() * 5_000)), {
      metadata: { at: String(at) },
    })
  for (let at = 0; at < large; at++)
    await store.upload(`large/${at}.bin`, bytesOf(12 * 2 ** 20 + at), { cacheControl: 'no-store' })
}

/** What counts of every object, by key. */
export async function objectsOf(store: StorageProvider): Promise<Record<string, string>> {
  const objects: Record<string, string> = {}
  for await (const entry of store.list()) {
    if (entry.kind !== 'object') continue
    const download = await store.download(entry.key)
    const { contentType, cacheControl, metadata } = download.info
    const sum = createHash('sha256')
      .update(await download.bytes())
      .digest('hex')
    objects[entry.key] = JSON.stringify({ sum, contentType, cacheControl, metadata })
  }
  return objects
}
