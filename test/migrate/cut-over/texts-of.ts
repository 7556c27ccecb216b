import type { StorageProvider } from '../../../src/core/provider.ts'
import { isMarker } from '../../../src/records/object-form.ts'

/** What is in a store, in order, but for the markers of record sets. */
export async function textsOf(store: StorageProvider): Promise<string[]> {
  const texts: string[] = []
  for await (const entry of store.list())
    if (entry.kind === 'object' && !isMarker(entry.key))
      texts.push(await (await store.download(entry.key)).text())
  return texts.sort()
}
