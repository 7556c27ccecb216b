import type { ObjectAttributes } from '../core/options.ts'
import type { ObjectInfo } from '../core/results.ts'
import { equal, fails, sameBytes } from './assertions.ts'
import { pattern, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

/** Attributes that the provider keeps, for an object that is to be copied. */
function attributes({ capabilities }: Scope): ObjectAttributes {
  return {
    contentType: 'application/x-kit',
    ...(capabilities.cacheControl ? { cacheControl: 'max-age=77' } : {}),
    ...(capabilities.contentDisposition ? { contentDisposition: 'inline; filename="kit.bin"' } : {}),
    ...(capabilities.contentLanguage ? { contentLanguage: 'fr' } : {}),
    ...(capabilities.metadata ? { metadata: { author: 'kit', note: 'two  spaces, ünï' } } : {}),
  }
}

async function has(
  scope: Scope,
  key: string,
  content: string | Uint8Array,
  expected: ObjectAttributes,
): Promise<void> {
  await scope.holdsBytes(key, content)
  const info: ObjectInfo = await scope.files.info(key)
  for (const [name, value] of Object.entries(expected))
    equal(info[name as keyof ObjectInfo] as unknown, value, `${name} of ${JSON.stringify(key)}`)
}

function keptBy(method: 'copy' | 'move'): ConformanceCase {
  return {
    id: `${method}/keeps-everything`,
    title: `${method} keeps content, type, headers and metadata, to a new key, onto an object, and to itself`,
    covers: [90],
    needs: ['writable'],
    async run(scope) {
      const { files } = scope
      const kept = attributes(scope)
      const [from, fresh, taken] = [
        scope.key('from.txt'),
        scope.key('other/fresh.dat'),
        scope.key('taken.txt'),
      ]
      for (const to of [fresh, taken]) {
        await scope.put(from, 'content', kept)
        if (to === taken) await scope.put(taken, 'was here', { contentType: 'text/x-old' })
        const info = await files[method](from, to)
        equal([info.key, info.size], [to, 7], `key and size that ${method} returns`)
        equal(info.etag, (await files.info(to)).etag, `etag that ${method} returns`)
        await has(scope, to, 'content', kept)
        if (method === 'copy') await has(scope, from, 'content', kept)
        else await scope.isAbsent(from)
      }
      await scope.put(from, 'content', kept)
      await files[method](from, from)
      await has(scope, from, 'content', kept)
    },
  }
}

function missingFor(method: 'copy' | 'move'): ConformanceCase {
  return {
    id: `${method}/missing-source`,
    title: `${method} of a missing object is not-found and leaves the destination`,
    covers: [90],
    needs: ['writable'],
    async run(scope) {
      const { files } = scope
      const [from, to] = [scope.key('missing.txt'), scope.key('to.txt')]
      const error = await fails(() => files[method](from, to), 'not-found', `${method} of a missing object`)
      equal(error.key, from, 'error.key')
      await scope.isAbsent(to)
      await scope.put(to, 'stays')
      await fails(() => files[method](from, to), 'not-found', `${method} of a missing object onto one`)
      await fails(() => files[method](from, from), 'not-found', `${method} of a missing object to itself`)
      await scope.holdsBytes(to, 'stays')
      equal(await scope.names(), ['to.txt'], 'names')
    },
  }
}

/** Past the limit of one request, by a limit that was made small. */
function largeBy(method: 'copy' | 'move'): ConformanceCase {
  return {
    id: `${method}/past-one-request`,
    title: `${method} of an object past the limit of one request keeps it whole`,
    covers: [92],
    needs: ['writable'],
    async run(outer) {
      const part = outer.context.partSizesBytes?.[0] ?? 5 * 2 ** 20
      const scope = await outer.with({ partSizeBytes: part, copyCutoffBytes: part })
      const [from, to] = [scope.key('from.bin'), scope.key('to.bin')]
      const bytes = pattern(2 * part + 1)
      const kept = attributes(scope)
      await scope.put(from, streamOf(bytes), kept)
      await scope.files[method](from, to)
      await has(scope, to, bytes, kept)
      if (method === 'copy') sameBytes(await scope.bytes(from), bytes, 'the source after the copy')
      else await scope.isAbsent(from)
    },
  }
}

export const COPY_MOVE_CASES: readonly ConformanceCase[] = [
  keptBy('copy'),
  keptBy('move'),
  missingFor('copy'),
  missingFor('move'),
  {
    id: 'copy/replaces-attributes',
    title: 'copy with options replaces those attributes and keeps the others, also in place',
    covers: [90],
    needs: ['writable'],
    async run(scope) {
      const { files } = scope
      const [from, to] = [scope.key('from.txt'), scope.key('to.txt')]
      const kept = attributes(scope)
      await scope.put(from, 'content', kept)
      await files.copy(from, to, { contentType: 'text/x-new' })
      await has(scope, to, 'content', { ...kept, contentType: 'text/x-new' })
      await files.copy(from, from, { contentType: 'text/x-in-place' })
      await has(scope, from, 'content', { ...kept, contentType: 'text/x-in-place' })
    },
  },
  {
    id: 'copy/replaces-metadata',
    title: 'copy with metadata replaces all of it and keeps the type, also in place',
    covers: [90],
    needs: ['writable', 'metadata'],
    async run(scope) {
      const { files } = scope
      const [from, to] = [scope.key('from.txt'), scope.key('to.txt')]
      const kept = attributes(scope)
      await scope.put(from, 'content', kept)
      await files.copy(from, to, { metadata: { New: 'value' } })
      await has(scope, to, 'content', { ...kept, metadata: { new: 'value' } })
      await files.copy(from, from, { metadata: { edited: 'yes' } })
      await has(scope, from, 'content', { ...kept, metadata: { edited: 'yes' } })
    },
  },
  {
    id: 'copy/shares-nothing',
    title: 'a change to a copy, or to what info returned, is not seen in the source',
    covers: [91],
    needs: ['writable', 'metadata'],
    async run(scope) {
      const { files } = scope
      const [from, to] = [scope.key('from.txt'), scope.key('to.txt')]
      const metadata = { author: 'kit' }
      await scope.put(from, 'content', { metadata })
      await files.copy(from, to)
      await files.copy(to, to, { metadata: { author: 'another' } })
      await has(scope, from, 'content', { metadata: { author: 'kit' } })
      await files.upload(to, 'other content')
      await has(scope, from, 'content', { metadata: { author: 'kit' } })
      metadata.author = 'changed by the caller'
      const info = await files.info(from)
      try {
        Object.assign(info.metadata!, { author: 'changed by a reader' })
      } catch {
        // Frozen, which is as good.
      }
      await has(scope, from, 'content', { metadata: { author: 'kit' } })
      await scope.remove(from)
      await scope.holdsBytes(to, 'other content')
    },
  },
  {
    id: 'copy/bad-destination-is-refused',
    title: 'a destination that is no key is refused as invalid-key, and the source stays',
    covers: [90],
    needs: ['writable'],
    async run(scope) {
      const from = scope.key('from.txt')
      await scope.put(from, 'content')
      for (const method of ['copy', 'move'] as const)
        for (const to of ['', '../out', 'nul\0'])
          await fails(
            () => scope.files[method](from, to),
            'invalid-key',
            `${method} to ${JSON.stringify(to)}`,
          )
      await scope.holdsBytes(from, 'content')
    },
  },
  largeBy('copy'),
  largeBy('move'),
]
