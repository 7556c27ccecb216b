import { equal, fails, ok } from './assertions.ts'
import { atOnce } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

/** What a delete of something that is, or is not, there must say. */
function status(scope: Scope, wasThere: boolean): string {
  if (!scope.capabilities.deleteReportsMissing) return 'gone'
  return wasThere ? 'deleted' : 'missing'
}

export const DELETE_CASES: readonly ConformanceCase[] = [
  {
    id: 'delete/gone-everywhere',
    title: 'what is deleted is gone for download, info, exists and list',
    covers: [93],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('gone.txt')
      await scope.put(key, 'here')
      const result = await scope.files.delete(key)
      equal(result, { ...result, key, status: status(scope, true) } as typeof result, 'result of delete')
      await scope.isAbsent(key)
    },
  },
  {
    id: 'delete/missing-is-ok',
    title:
      'deleting what is not there is no error; the result tells missing from deleted where the store can',
    covers: [94],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('never.txt')
      equal(
        (await scope.files.delete(key)).status,
        status(scope, false) as 'gone',
        'status of a key never stored',
      )
      await scope.put(key, 'here')
      equal((await scope.files.delete(key)).status, status(scope, true) as 'gone', 'status of a stored key')
      equal((await scope.files.delete(key)).status, status(scope, false) as 'gone', 'status the second time')
    },
  },
  {
    id: 'delete/many-in-order',
    title: 'deletes many, one missing and some with odd names, with a result per key in order',
    covers: [95],
    needs: ['writable'],
    async run(scope) {
      const names = [
        'plain.txt',
        'with space & <xml>.txt',
        'quote\'".txt',
        'ünï.txt',
        '100%25.txt',
        'a+b.txt',
      ]
      const keys = names.map(name => scope.key(name)).filter(key => scope.holds(key))
      const kept = scope.key('kept.txt')
      await Promise.all([...keys, kept].map(key => scope.put(key)))
      const missing = scope.key('missing.txt')
      const asked = [keys[0]!, missing, ...keys.slice(1), '']
      const results = await scope.files.deleteMany(asked)
      equal(
        results.map(result => result.key),
        asked,
        'keys of the results',
      )
      for (const result of results) {
        if (result.key === '') {
          ok(result.status === 'error' && result.error.code === 'invalid-key', "'' is no invalid-key error")
          continue
        }
        equal(
          result.status,
          status(scope, result.key !== missing) as 'gone',
          `status of ${JSON.stringify(result.key)}`,
        )
      }
      equal(await scope.names(), ['kept.txt'], 'keys left')
    },
  },
  {
    id: 'delete/1001-keys',
    title: 'deletes 1,001 keys in one call',
    covers: [96],
    needs: ['writable'],
    async run(scope) {
      const keys = Array.from({ length: 1001 }, (_, n) => scope.key(`many/${String(n).padStart(4, '0')}`))
      await atOnce(keys, async key => void (await scope.put(key, 'x')))
      const results = await scope.files.deleteMany(keys)
      equal(results.length, keys.length, 'number of results')
      for (const [n, result] of results.entries())
        equal([result.key, result.status], [keys[n]!, status(scope, true)], `result ${n}`)
      equal(await scope.names(), [], 'keys left')
    },
  },
  {
    id: 'delete/prefix-keeps-neighbours',
    title: 'deleting a list of the prefix a/a/ leaves a/aaa/ and a/a',
    covers: [97],
    needs: ['writable'],
    async run(scope) {
      const { files } = scope
      const names = ['a/a/1.txt', 'a/a/b/2.txt', 'a/aaa/3.txt', 'a/a.txt']
      for (const name of names) await scope.put(scope.key(name))
      const results = await files.deleteMany(files.list({ prefix: scope.key('a/a/') }))
      equal(
        results.map(result => result.key),
        [scope.key('a/a/1.txt'), scope.key('a/a/b/2.txt')],
        'deleted keys',
      )
      equal(await scope.names(), ['a/a.txt', 'a/aaa/3.txt'], 'keys left')
    },
  },
  {
    id: 'delete/folded-prefix-is-refused',
    title: 'refuses to delete a folded prefix, which is no object, before it deletes anything',
    covers: [],
    needs: ['writable'],
    async run(scope) {
      const { files } = scope
      await scope.put(scope.key('folder/x.txt'))
      const folded = files.list({ prefix: scope.prefix, delimiter: '/' })
      await fails(() => files.deleteMany(folded), 'invalid-argument', 'deleting a folded prefix')
      equal(await scope.names(), ['folder/x.txt'], 'keys left')
    },
  },
]
