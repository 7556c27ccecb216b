/** Memory with what it lacks itself, as it should be: mutants need something to break. */
import { memory } from '../../../src/adapters/memory.ts'
import type { ConformanceContext } from '../../../src/conformance/index.ts'
import type { UploadBody } from '../../../src/core/body.ts'
import { StorageError } from '../../../src/core/errors.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import type { DeleteResult, UnfinishedUpload } from '../../../src/core/results.ts'
import { unfinishedUploadsOf } from '../../../src/core/unfinished-uploads.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { type Mutant, SIGNING, soundContext } from './mutant.ts'

/** Streams that are under way are unfinished uploads. */
export function withParts(): StorageProvider {
  const inner = memory()
  const underWay = new Map<string, UnfinishedUpload & { readonly stop: AbortController }>()
  let ids = 0
  return forward(inner, {
    capabilities: { ...inner.capabilities, unfinishedUploads: true },
    async upload(key, body, options) {
      if (typeof body !== 'object' || !(Symbol.asyncIterator in body)) return inner.upload(key, body, options)
      const uploadId = `upload-${++ids}`
      const stop = new AbortController()
      underWay.set(uploadId, { key, uploadId, startedAt: new Date(), stop })
      try {
        return await inner.upload(key, until(stop.signal, body), options)
      } catch (error) {
        if (!stop.signal.aborted) throw error
        throw new StorageError('conflict', 'the upload was aborted', {
          operation: 'upload',
          retryable: false,
        })
      } finally {
        underWay.delete(uploadId)
      }
    },
    unfinishedUploads(options = {}) {
      const { prefix = '', startAfter = '', ...common } = options
      if (typeof prefix !== 'string' || typeof startAfter !== 'string' || !startAfter.isWellFormed())
        throw new StorageError('invalid-argument', 'no text', { operation: 'unfinishedUploads' })
      return unfinishedUploadsOf(async function* () {
        await inner.infoMany([], common)
        yield [...underWay.values()]
          .filter(({ key }) => key.startsWith(prefix) && key > startAfter)
          .map(({ stop: _, ...upload }) => upload)
      })
    },
    async abortUpload(key, uploadId, options) {
      await inner.exists(key, options)
      if (typeof uploadId !== 'string' || uploadId === '')
        throw new StorageError('invalid-argument', 'no id', { operation: 'abortUpload' })
      underWay.get(uploadId)?.stop.abort()
      underWay.delete(uploadId)
    },
  })
}

async function* until(signal: AbortSignal, body: AsyncIterable<unknown>) {
  for await (const chunk of body) {
    if (signal.aborted) throw signal.reason
    yield chunk as Uint8Array
  }
  if (signal.aborted) throw signal.reason
}

/** Each upload is a version; a delete without one hides them all. */
export function withVersions(): StorageProvider {
  const inner = memory()
  const versions = new Map<string, { id: string; body: UploadBody }[]>()
  let ids = 0
  async function remove(key: string, versionId: string): Promise<DeleteResult> {
    const all = versions.get(key) ?? []
    const wasNewest = all.at(-1)?.id === versionId
    const left = all.filter(({ id }) => id !== versionId)
    versions.set(key, left)
    if (wasNewest) await inner.delete(key)
    if (wasNewest && left.length > 0) await inner.upload(key, left.at(-1)!.body)
    return { key, status: 'deleted', versionId }
  }
  return forward(inner, {
    capabilities: { ...inner.capabilities, versionedDelete: true },
    async upload(key, body, options) {
      const info = await inner.upload(key, body, options)
      const id = `v${++ids}`
      versions.set(key, [...(versions.get(key) ?? []), { id, body }])
      return { ...info, versionId: id }
    },
    async delete(key, { versionId, ...options } = {}) {
      if (versionId === undefined) return inner.delete(key, options)
      assertVersion(versionId, options.ifMatch)
      return remove(key, versionId)
    },
    async deleteMany(keys, options) {
      const results: DeleteResult[] = []
      for await (const entry of keys as AsyncIterable<string | { key: string; versionId?: string }>) {
        const { key, versionId } = typeof entry === 'string' ? { key: entry } : entry
        try {
          if (versionId !== undefined) assertVersion(versionId, undefined)
          if (versionId === undefined) results.push(...(await inner.deleteMany([key], options)))
          else results.push(await remove(key, versionId))
        } catch (error) {
          results.push({ key, status: 'error', error: error as StorageError })
        }
      }
      return results
    },
  })
}

function assertVersion(versionId: unknown, ifMatch: unknown): void {
  if (typeof versionId === 'string' && /^[\x21-\x7e]+$/.test(versionId) && ifMatch === undefined) return
  throw new StorageError('invalid-argument', 'no version', { operation: 'delete' })
}

const staged = (uploadId: string) => `staging/${uploadId}`

/** What a browser sends is an object when it has been finalized. */
export function withStaging(): ConformanceContext {
  const sound = soundContext()
  let ids = 0
  return {
    ...sound,
    create() {
      const inner = memory({ signing: SIGNING, now: () => sound.now!() })
      const able = inner.capabilities.signedUpload
      return forward(inner, {
        capabilities: { ...inner.capabilities, signedUpload: able && { ...able, finalizes: true } },
        async signedUpload(_key, options) {
          const uploadId = `${++ids}`
          return { ...(await inner.signedUpload(staged(uploadId), options)), uploadId }
        },
      })
    },
    finalize: (files, key, { uploadId }) => files.move(staged(uploadId!), key),
  }
}

/** One of these with some of its methods replaced by wrong ones. */
export function wrongly(
  sound: () => StorageProvider,
  title: string,
  caughtBy: readonly string[],
  changes: (inner: StorageProvider) => Partial<StorageProvider>,
): Mutant {
  const create = () => {
    const inner = sound()
    return forward(inner, changes(inner))
  }
  return { title, caughtBy, context: { ...soundContext(), partSizesBytes: [4096], create } }
}
