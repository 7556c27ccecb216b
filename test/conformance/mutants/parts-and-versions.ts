import { memory } from '../../../src/adapters/memory.ts'
import { unfinishedUploadsOf } from '../../../src/core/unfinished-uploads.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { type Mutant, SIGNING, wrong } from './mutant.ts'
import { withParts, withStaging, withVersions, wrongly } from './richer-memory.ts'

const PARTS: readonly Mutant[] = [
  wrong('lists unfinished uploads without saying so', ['calls/missing-capabilities-are-refused'], () => ({
    unfinishedUploads: () =>
      unfinishedUploadsOf(async function* () {
        yield []
      }),
  })),
  wrong('aborts uploads without saying so', ['unfinished/abort'], () => ({ abortUpload: async () => {} })),
  wrong('claims unfinished uploads', ['unfinished/listed-until-they-end'], inner => ({
    capabilities: { ...inner.capabilities, unfinishedUploads: true },
  })),
  wrongly(
    withParts,
    'lists no unfinished upload',
    ['unfinished/listed-until-they-end', 'unfinished/abort'],
    () => ({
      unfinishedUploads: () =>
        unfinishedUploadsOf(async function* () {
          yield []
        }),
    }),
  ),
  wrongly(withParts, 'lists uploads that have ended', ['unfinished/listed-until-they-end'], inner => {
    const seen = new Map<string, { key: string; uploadId: string }>()
    return {
      unfinishedUploads: options =>
        unfinishedUploadsOf(async function* () {
          for await (const upload of inner.unfinishedUploads(options)) seen.set(upload.uploadId, upload)
          yield [...seen.values()]
        }),
    }
  }),
  wrongly(withParts, 'lists unfinished uploads under every prefix', ['unfinished/prefix'], inner => ({
    unfinishedUploads: ({ prefix: _, ...options } = {}) => inner.unfinishedUploads(options),
  })),
  wrongly(
    withParts,
    'lists unfinished uploads again that startAfter names',
    ['unfinished/prefix'],
    inner => ({
      unfinishedUploads: ({ startAfter: _, ...options } = {}) => inner.unfinishedUploads(options),
    }),
  ),
  wrongly(withParts, 'aborts nothing', ['unfinished/abort', 'unfinished/abort-twice'], inner => ({
    abortUpload: (key, _, options) => inner.abortUpload(key, 'another', options),
  })),
  wrongly(withParts, 'fails to abort what is gone', ['unfinished/abort-twice'], inner => ({
    async abortUpload(key, uploadId, options) {
      for await (const upload of inner.unfinishedUploads({ prefix: key }))
        if (upload.uploadId === uploadId) return inner.abortUpload(key, uploadId, options)
      await inner.info(`${key}-gone`)
    },
  })),
  wrongly(withParts, 'deletes the object when its upload is aborted', ['unfinished/abort'], inner => ({
    async abortUpload(key, uploadId, options) {
      await inner.abortUpload(key, uploadId, options)
      await inner.delete(key)
    },
  })),
  wrongly(withParts, 'takes any id for an upload', ['unfinished/bad-arguments-are-refused'], inner => ({
    abortUpload: (key, uploadId, options) => inner.abortUpload(key, uploadId || 'any', options),
  })),
]

const VERSIONS: readonly Mutant[] = [
  wrong(
    'deletes the object for a version of it',
    ['versions/delete', 'calls/missing-capabilities-are-refused'],
    inner => ({
      delete: (key, { versionId: _, ...options } = {}) => inner.delete(key, options),
    }),
  ),
  wrong('drops the version of an entry', ['versions/delete'], inner => ({
    deleteMany: async (keys, options) => {
      const names: string[] = []
      for await (const entry of keys as AsyncIterable<string | { key: string }>)
        names.push(typeof entry === 'string' ? entry : entry.key)
      return inner.deleteMany(names, options)
    },
  })),
  wrongly(
    withVersions,
    'hides an object where a version was to go',
    ['versions/delete', 'versions/delete-hidden'],
    inner => ({
      async delete(key, { versionId, ...options } = {}) {
        const result = await inner.delete(key, options)
        return versionId === undefined ? result : { ...result, deleteMarker: true }
      },
    }),
  ),
  wrongly(withVersions, 'deletes what is current for any version', ['versions/delete-hidden'], inner => ({
    delete: (key, { versionId, ...options } = {}) =>
      inner.delete(key, versionId === undefined ? options : {}),
  })),
  wrongly(withVersions, 'deletes no version of many', ['versions/delete-many'], inner => ({
    async deleteMany(keys, options) {
      const all: (string | { key: string; versionId?: string })[] = []
      for await (const entry of keys as AsyncIterable<string>) all.push(entry)
      const results = await inner.deleteMany(
        all.map(entry => (typeof entry === 'string' ? entry : entry.key)),
        options,
      )
      return results
    },
  })),
  wrongly(withVersions, 'takes anything for a version', ['versions/bad-ids-are-refused'], inner => ({
    delete: (key, { versionId, ...options } = {}) =>
      inner.delete(
        key,
        versionId === undefined ? options : { ...options, versionId: `v${String(versionId).length}` },
      ),
  })),
]

const CLOCK: readonly Mutant[] = [
  wrong("tells another clock than the store's", ['info/clock'], () => ({
    clock: async () => new Date(Date.now() - 3_600_000),
  })),
  wrong('tells a clock that stands', ['info/clock'], () => ({ clock: async () => new Date(0) })),
]

const staging = withStaging()

const FINALIZED: readonly Mutant[] = [
  wrong('needs uploads to be finalized without saying so', ['signed-uploads/store'], inner => ({
    signedUpload: (key, options) => inner.signedUpload(`staging/${key}`, options),
  })),
  {
    title: 'stores an upload before it is finalized',
    caughtBy: ['signed-uploads/store', 'signed-uploads/max-size'],
    context: {
      ...staging,
      async create() {
        const files = await staging.create()
        const capabilities = files.capabilities
        const inner = memory({ signing: SIGNING, now: () => staging.now!() })
        return forward(inner, {
          capabilities,
          signedUpload: async (key, options) => ({
            ...(await inner.signedUpload(key, options)),
            uploadId: '1',
          }),
        })
      },
    },
  },
  {
    title: 'does not name the upload that is to be finalized',
    caughtBy: ['signed-uploads/store'],
    context: {
      ...staging,
      async create() {
        const inner = await staging.create()
        return forward(inner, {
          async signedUpload(key, options) {
            const { uploadId: _, ...signed } = await inner.signedUpload(key, options)
            return signed as Awaited<ReturnType<typeof inner.signedUpload>>
          },
        })
      },
    },
  },
]

export const PART_AND_VERSION_MUTANTS: readonly Mutant[] = [...PARTS, ...VERSIONS, ...CLOCK, ...FINALIZED]
