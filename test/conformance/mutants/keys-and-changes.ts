import { type Mutant, renaming, wrong } from './mutant.ts'

export const KEY_MUTANTS: readonly Mutant[] = [
  renaming('decodes percent signs in keys', ['keys/percent', 'keys/encoded-slash-is-no-slash'], key =>
    key.replace(/%[0-7][0-9a-f]/gi, code => (code === '%00' ? code : decodeURIComponent(code))),
  ),
  renaming('takes a backslash for a slash', ['keys/backslashes'], key => key.replaceAll('\\', '/')),
  renaming('brings names into one Unicode form', ['keys/normalization'], key => key.normalize('NFC')),
  renaming('ignores case', ['keys/case'], key => key.toLowerCase()),
  renaming('trims names', ['keys/edges'], key => key.replace(/\s+$/, '')),
  renaming('takes two slashes for one', ['keys/slashes'], key => key.replace(/\/+/g, '/')),
  renaming('resolves dots instead of refusing them', ['keys/dot-segments-are-refused'], key =>
    key.replace(/(^|\/)\.\.?(?=\/|$)/g, '$1x'),
  ),
  renaming('takes half a surrogate pair', ['keys/lone-surrogate-is-refused'], key =>
    typeof key === 'string' ? key.toWellFormed() : key,
  ),
  renaming('shortens long keys', ['keys/lengths'], key => key.slice(0, 1024)),
  renaming('turns control characters into spaces', ['keys/ascii'], key => key.replace(/[\x01-\x1f]/g, ' ')),
  renaming('takes brackets for a pattern', ['keys/brackets'], key => key.replace(/[[\]{}*]/g, '')),
  renaming('keeps the first 128 characters only', ['keys/unicode'], key => key.replace(/[^\x00-\x7f]/g, '_')),
  renaming('drops quotes', ['keys/quotes-and-spaces'], key => key.replace(/["']/g, '')),
]

export const CHANGE_MUTANTS: readonly Mutant[] = [
  wrong('drops metadata and headers on copy', ['copy/keeps-everything', 'copy/past-one-request'], inner => ({
    copy: (from, to, options) => inner.copy(from, to, { metadata: {}, cacheControl: 'no-cache', ...options }),
  })),
  wrong('ignores the options of copy', ['copy/replaces-attributes', 'copy/replaces-metadata'], inner => ({
    copy: (from, to, { signal, timeoutMs } = {}) =>
      inner.copy(from, to, {
        ...(signal ? { signal } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
  })),
  wrong('adds metadata on copy instead of replacing it', ['copy/replaces-metadata'], inner => ({
    async copy(from, to, options = {}) {
      if (options.metadata === undefined) return inner.copy(from, to, options)
      const { metadata } = await inner.info(from)
      return inner.copy(from, to, { ...options, metadata: { ...metadata, ...options.metadata } })
    },
  })),
  wrong('leaves the source of a move', ['move/keeps-everything', 'move/past-one-request'], inner => ({
    move: (from, to, options) => inner.copy(from, to, options),
  })),
  wrong('loses what is moved onto itself', ['move/keeps-everything'], inner => ({
    async move(from, to, options) {
      const info = await inner.copy(from, to, options)
      await inner.delete(from)
      return info
    },
  })),
  wrong('empties the destination when the source is missing', ['copy/missing-source'], inner => ({
    copy: (from, to, options) =>
      inner.copy(from, to, options).catch(async error => {
        if (from !== to && error.code === 'not-found') await inner.delete(to)
        throw error
      }),
  })),
  wrong("replaces under ifNoneMatch '*' of copy", ['conditional/copy-create-only'], inner => ({
    copy: (from, to, { ifNoneMatch: _, ...options } = {}) => inner.copy(from, to, options),
  })),
  wrong('copies another version than ifMatch says', ['conditional/copy-source'], inner => ({
    copy: (from, to, { ifMatch: _, ...options } = {}) => inner.copy(from, to, options),
  })),
  wrong('shares attributes between an object and its readers', ['copy/shares-nothing'], inner => {
    const shared = new Map<string, Record<string, string>>()
    return {
      async info(key, options) {
        const info = await inner.info(key, options)
        const metadata = shared.get(key) ?? { ...info.metadata }
        shared.set(key, metadata)
        return { ...info, metadata }
      },
    }
  }),
  wrong('fails to delete what is missing', ['delete/missing-is-ok'], inner => ({
    async delete(key, options) {
      await inner.info(key)
      return inner.delete(key, options)
    },
  })),
  wrong('only hides what is deleted', ['delete/gone-everywhere'], inner => ({
    async delete(key, options) {
      if (options?.signal?.aborted || key === '') return inner.delete(key, options)
      await inner.upload(key, '')
      return { key, status: 'deleted' }
    },
  })),
  wrong('answers deleteMany out of order', ['delete/many-in-order', 'delete/1001-keys'], inner => ({
    deleteMany: async (keys, options) => (await inner.deleteMany(keys, options)).reverse(),
  })),
  wrong('deletes 1,000 of many', ['delete/1001-keys'], inner => ({
    async deleteMany(keys, options) {
      const all = []
      for await (const item of keys as AsyncIterable<string>) all.push(item)
      const done = await inner.deleteMany(all.slice(0, 1000), options)
      return [...done, ...all.slice(1000).map(key => ({ key, status: 'deleted' as const }))]
    },
  })),
  wrong('deletes neighbours with a common prefix', ['delete/prefix-keeps-neighbours'], inner => ({
    async deleteMany(keys, options) {
      const results = await inner.deleteMany(keys, options)
      for (const { key } of results) {
        const folder = key.slice(0, key.lastIndexOf('/'))
        for await (const entry of inner.list({ prefix: folder }))
          if (entry.kind === 'object') await inner.delete(entry.key)
      }
      return results
    },
  })),
]
