import { memory } from '../../../src/adapters/memory.ts'
import type { UploadBody } from '../../../src/core/body.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { type Mutant, soundContext, wrong } from './mutant.ts'

/** The chunks of a body until it ends or fails. */
async function received(body: UploadBody): Promise<Uint8Array> {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) parts.push(Uint8Array.from(chunk))
  } catch {
    // What came before is stored: that is the mistake.
  }
  return Buffer.concat(parts)
}

function isStream(body: UploadBody): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

async function removeQuietly(files: StorageProvider, key: string): Promise<void> {
  if (key !== '') await files.delete(key).catch(() => {})
}

export const WRITING_MUTANTS: readonly Mutant[] = [
  wrong('keeps what had arrived when the source fails', ['write/source-fails'], inner => ({
    upload: async (key, body, options) =>
      inner.upload(key, isStream(body) ? await received(body) : body, options),
  })),
  wrong(
    'removes the old object before it has the new one',
    [
      'write/source-fails',
      'write/checksum-wrong',
      'write/cancelled-over-existing',
      'write/visible-at-the-end-only',
    ],
    inner => ({
      async upload(key, body, options = {}) {
        if (options.ifMatch === undefined && options.ifNoneMatch === undefined)
          await removeQuietly(inner, key)
        return inner.upload(key, body, options)
      },
    }),
  ),
  wrong('shows an upload before it has ended', ['write/visible-at-the-end-only'], inner => ({
    async upload(key, body, options = {}) {
      if (isStream(body) && options.ifMatch === undefined && options.ifNoneMatch === undefined)
        await inner.upload(key, 'begun').catch(() => {})
      return inner.upload(key, body, options)
    },
  })),
  wrong('ignores the signal of an upload', ['write/cancelled', 'calls/aborted-before'], inner => ({
    upload: (key, body, { signal: _, ...options } = {}) => inner.upload(key, body, options),
  })),
  wrong('does not verify checksums', ['write/checksum-wrong'], inner => ({
    upload: (key, body, { checksum: _, ...options } = {}) => inner.upload(key, body, options),
  })),
  wrong('does not compare sizes', ['write/shorter-than-declared', 'write/longer-than-declared'], inner => ({
    upload: (key, body, { size: _, ...options } = {}) => inner.upload(key, body, options),
  })),
  wrong('lets the extension win over the given type', ['write/explicit-type-wins'], inner => ({
    upload: (key, body, { contentType, ...options } = {}) =>
      inner.upload(
        key,
        body,
        key.endsWith('.png')
          ? options
          : { ...options, ...(contentType === undefined ? {} : { contentType }) },
      ),
  })),
  wrong('guesses no types', ['write/type-from-bytes', 'write/svg-and-unknown-types'], inner => ({
    upload: (key, body, options = {}) =>
      inner.upload(key, body, { contentType: 'application/octet-stream', ...options }),
  })),
  wrong('stores a type that is none', ['write/invalid-type-is-refused'], inner => ({
    upload: (key, body, { contentType, ...options } = {}) =>
      inner.upload(
        key,
        body,
        contentType === 'notatype'
          ? options
          : { ...options, ...(contentType === undefined ? {} : { contentType }) },
      ),
  })),
  wrong('adds new metadata to the old', ['write/overwrite-replaces-everything'], inner => ({
    async upload(key, body, options = {}) {
      const old = await inner.info(key).catch(() => undefined)
      return inner.upload(key, body, { ...options, metadata: { ...old?.metadata, ...options.metadata } })
    },
  })),
  wrong('squeezes spaces in metadata', ['write/metadata-values'], inner => ({
    upload(key, body, options = {}) {
      const entries = Object.entries(options.metadata ?? {})
      const metadata = Object.fromEntries(
        entries.map(([name, value]) => [name, String(value).replace(/ +/g, ' ')]),
      )
      return inner.upload(key, body, { ...options, metadata })
    },
  })),
  wrong('gives every object the same etag', ['write/etag-changes', 'conditional/replace'], inner => ({
    info: async (key, options) => ({ ...(await inner.info(key, options)), etag: 'same' }),
  })),
  wrong('returns another etag than info', ['write/returned-info-equals-info'], inner => ({
    upload: async (key, body, options) => ({
      ...(await inner.upload(key, body, options)),
      etag: 'of-the-upload',
    }),
  })),
  wrong(
    'swaps the halves of large bodies',
    ['write/around-part-sizes', 'write/parts-out-of-order'],
    inner => ({
      async upload(key, body, options) {
        if (!(body instanceof Uint8Array) || body.length < 2 ** 20) return inner.upload(key, body, options)
        const half = body.length >> 1
        return inner.upload(key, Buffer.concat([body.subarray(half), body.subarray(0, half)]), options)
      },
    }),
  ),
  wrong('mixes uploads to one key', ['write/one-key-at-once', 'write/two-multiparts-one-winner'], inner => {
    const types = new Map<string, string>()
    return {
      async upload(key, body, options = {}) {
        const first = types.get(key) ?? options.contentType
        if (first !== undefined) types.set(key, first)
        return inner.upload(key, body, { ...options, ...(first === undefined ? {} : { contentType: first }) })
      },
    }
  }),
  wrong(
    "overwrites under ifNoneMatch '*'",
    ['conditional/create-only', 'conditional/create-only-one-winner'],
    inner => ({
      upload: (key, body, { ifNoneMatch: _, sameContent: __, ...options } = {}) =>
        inner.upload(key, body, options),
    }),
  ),
  wrong('looks first and writes then', ['conditional/create-only-one-winner'], inner => ({
    async upload(key, body, { ifNoneMatch, sameContent, ...options } = {}) {
      if (ifNoneMatch === undefined || sameContent !== undefined || isStream(body))
        return inner.upload(key, body, {
          ...options,
          ...(ifNoneMatch ? { ifNoneMatch } : {}),
          ...(sameContent ? { sameContent } : {}),
        })
      if (await inner.exists(key)) return inner.upload(key, body, { ...options, ifNoneMatch })
      await new Promise(resolve => setImmediate(resolve))
      return inner.upload(key, body, options)
    },
  })),
  wrong('replaces whatever ifMatch says', ['conditional/replace', 'conditional/counter'], inner => ({
    upload: (key, body, { ifMatch: _, ...options } = {}) => inner.upload(key, body, options),
  })),
  wrong('deletes whatever ifMatch says', ['conditional/delete'], inner => ({
    delete: key => inner.delete(key),
  })),
  {
    title: 'keeps a partial object when the disk is full',
    caughtBy: ['write/full-disk'],
    context: {
      ...soundContext(),
      createFull() {
        const inner = memory({ maxObjectBytes: 8 * 2 ** 20 })
        return forward(inner, {
          upload: (key, body, options) =>
            inner.upload(key, body, options).catch(async error => {
              await inner.upload(key, 'the part that fitted')
              throw error
            }),
        })
      },
    },
  },
  {
    title: 'leaves parts behind when an upload is aborted',
    caughtBy: ['write/aborted-multipart-leaves-no-parts'],
    context: { ...soundContext(), leftovers: async (_, keys) => [`${keys[0]} part 1`] },
  },
]
