import { CannotRun, equal, fails, ok } from './assertions.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

/** Stores a version and gives its id. */
async function version(scope: Scope, key: string, body: string): Promise<string> {
  const { versionId } = await scope.files.upload(key, body)
  if (versionId === undefined) throw new CannotRun('the bucket keeps no versions')
  return versionId
}

export const VERSION_CASES: readonly ConformanceCase[] = [
  {
    id: 'versions/delete',
    title: 'deleting a version removes exactly that one; the one before it is what readers get',
    covers: [],
    needs: ['writable', 'versionedDelete'],
    async run(scope) {
      const key = scope.key('versioned.txt')
      const first = await version(scope, key, 'first')
      const second = await version(scope, key, 'second')
      ok(first !== second, 'two uploads have one version id')
      const result = await scope.files.delete(key, { versionId: second })
      ok(result.status !== 'error' && result.deleteMarker === undefined, 'a delete marker was made')
      equal(result.versionId, second, 'versionId of the result')
      await scope.holdsBytes(key, 'first')
      await scope.files.delete(key, { versionId: first })
      await scope.isAbsent(key)
      await scope.files.delete(key, { versionId: first })
    },
  },
  {
    id: 'versions/delete-hidden',
    title: 'what a delete has hidden can be removed by its version, and its version alone',
    covers: [],
    needs: ['writable', 'versionedDelete'],
    async run(scope) {
      const key = scope.key('versioned.txt')
      const first = await version(scope, key, 'first')
      await scope.files.delete(key)
      await scope.isAbsent(key)
      const third = await version(scope, key, 'third')
      await scope.files.delete(key, { versionId: first })
      await scope.holdsBytes(key, 'third')
      await scope.files.delete(key, { versionId: third })
      await scope.isAbsent(key)
    },
  },
  {
    id: 'versions/delete-many',
    title: 'of many keys each entry with a version loses that version, the others are deleted as ever',
    covers: [],
    needs: ['writable', 'versionedDelete'],
    async run(scope) {
      const [a, b, c] = [scope.key('a'), scope.key('b'), scope.key('c')]
      const [a1, a2] = [await version(scope, a, 'a1'), await version(scope, a, 'a2')]
      const [b1, b2, b3] = [
        await version(scope, b, 'b1'),
        await version(scope, b, 'b2'),
        await version(scope, b, 'b3'),
      ]
      await version(scope, c, 'c1')
      const entries = [
        { key: a, versionId: a2 },
        { key: b, versionId: b1 },
        c,
        { key: b, versionId: b3 },
        { key: b, versionId: '' },
      ]
      const results = await scope.files.deleteMany(entries)
      equal(
        results.map(result => [
          result.key,
          result.status === 'error' ? result.error.code : 'versionId' in result,
        ]),
        [
          [a, true],
          [b, true],
          [c, results[2]!.status !== 'error' && 'versionId' in results[2]!],
          [b, true],
          [b, 'invalid-argument'],
        ],
        'keys, and whether a version is named',
      )
      await scope.holdsBytes(a, 'a1')
      await scope.holdsBytes(b, 'b2')
      await scope.isAbsent(c)
      for (const entry of [
        { key: a, versionId: a1 },
        { key: b, versionId: b2 },
      ])
        await scope.files.deleteMany([entry])
      equal(await scope.names(), [], 'names')
    },
  },
  {
    id: 'versions/bad-ids-are-refused',
    title: 'a version id that is none, and one beside ifMatch, is refused, and nothing is deleted',
    covers: [],
    needs: ['writable', 'versionedDelete'],
    async run(scope) {
      const key = scope.key('kept.txt')
      const { etag, versionId } = await scope.put(key, 'kept')
      for (const bad of ['', 7, 'a b', null])
        await fails(
          () => scope.files.delete(key, { versionId: bad as string }),
          'invalid-argument',
          `versionId ${JSON.stringify(bad)}`,
        )
      if (scope.capabilities.conditionalDelete === true && etag !== undefined)
        await fails(
          () => scope.files.delete(key, { ifMatch: etag, versionId: versionId ?? 'v1' }),
          'invalid-argument',
          'ifMatch beside versionId',
        )
      await scope.holdsBytes(key, 'kept')
    },
  },
]
