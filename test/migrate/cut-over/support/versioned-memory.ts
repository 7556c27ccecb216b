import { memory } from '../../../../src/adapters/memory.ts'
import type { ObjectInfo, StorageProvider } from '../../../../src/core/provider.ts'
import { forward } from '../../../../src/decorators/forward.ts'

/** A bucket that keeps versions: a delete without one only hides the object, and one of the last version shows the one before. */
export function versionedMemory(): StorageProvider & { countOf(key: string): number } {
  const inner = memory()
  const stacks = new Map<string, { id: string; body: Uint8Array | undefined }[]>()
  let count = 0
  const stackOf = (key: string) => stacks.get(key) ?? []
  const versionOf = (key: string) => stackOf(key).at(-1)?.id
  const versioned = <Info extends ObjectInfo>(info: Info): Info => ({
    ...info,
    versionId: versionOf(info.key),
  })
  const show = async (key: string) => {
    const body = stackOf(key).at(-1)?.body
    if (body === undefined) await inner.delete(key)
    else await inner.upload(key, body)
  }
  const store = forward(inner, {
    get capabilities() {
      return { ...inner.capabilities, versionedDelete: true, deleteReportsMissing: false }
    },
    async upload(key, body, options) {
      const info = await inner.upload(key, body, options)
      const bytes = await (await inner.download(key)).bytes()
      stacks.set(key, [...stackOf(key), { id: `v${++count}`, body: bytes }])
      return versioned(info)
    },
    info: async (key, options) => versioned(await inner.info(key, options)),
    infoMany: async (keys, options) =>
      (await inner.infoMany(keys, options)).map(result =>
        result.ok ? { ...result, value: versioned(result.value) } : result,
      ),
    async download(key, options) {
      const download = await inner.download(key, options)
      return Object.assign(download, { info: versioned(download.info) })
    },
    async deleteMany(entries) {
      const results = []
      for (const entry of entries) {
        const { key, versionId } = typeof entry === 'string' ? { key: entry, versionId: undefined } : entry
        const marker = `v${++count}`
        stacks.set(
          key,
          versionId === undefined
            ? [...stackOf(key), { id: marker, body: undefined }]
            : stackOf(key).filter(({ id }) => id !== versionId),
        )
        await show(key)
        results.push(
          versionId === undefined
            ? ({ key, status: 'gone', deleteMarker: true, versionId: marker } as const)
            : ({ key, status: 'gone', versionId } as const),
        )
      }
      return results
    },
  })
  return Object.assign(store, { countOf: (key: string) => stackOf(key).length })
}
