import { entryName } from '../core/listing.ts'
import type { ListEntry } from '../core/results.ts'
import { equal, ok } from './assertions.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { pages, store } from './list.ts'
import type { Scope } from './scope.ts'

async function entries(scope: Scope): Promise<ListEntry[]> {
  const found: ListEntry[] = []
  for await (const entry of scope.files.list({ prefix: scope.prefix })) found.push(entry)
  return found
}

export const LIST_FOLDER_CASES: readonly ConformanceCase[] = [
  {
    id: 'list/delimiter',
    title: 'a delimiter folds what lies deeper, each folder once, at every level and in pages of 1 and 2',
    covers: [84],
    async run(scope) {
      await store(scope, ['a.txt', 'd/1.txt', 'd/2.txt', 'd/deep/3.txt', 'e/4.txt', 'z.txt'])
      const top = ['a.txt', 'd/', 'e/', 'z.txt']
      equal(await scope.names({ delimiter: '/' }), top, 'entries at the top')
      equal(
        await pages(scope, 1, { delimiter: '/' }),
        top.map(name => [name]),
        'pages of 1',
      )
      equal(await pages(scope, 2, { delimiter: '/' }), [top.slice(0, 2), top.slice(2)], 'pages of 2')
      const inD = { delimiter: '/', prefix: scope.key('d/') } as const
      equal(await scope.names(inD), ['d/1.txt', 'd/2.txt', 'd/deep/'], 'entries in d/')
      equal((await pages(scope, 1, inD)).flat(), ['d/1.txt', 'd/2.txt', 'd/deep/'], 'pages in d/')
      equal(await scope.names({ delimiter: '/', prefix: scope.key('d') }), ['d/'], "entries under 'd'")
      equal((await scope.names()).length, 6, 'number of names without a delimiter')
      for await (const entry of scope.files.list({ prefix: scope.prefix, delimiter: '/' })) {
        const folder = entryName(entry).endsWith('/')
        equal(entry.kind, folder ? 'prefix' : 'object', `kind of ${entryName(entry)}`)
      }
    },
  },
  {
    id: 'list/folder-order-at-page-boundary',
    title: 't- and t. come before t/, and t0 behind, also at a page boundary',
    covers: [85],
    async run(scope) {
      await store(scope, ['t-/a', 't.txt', 't/a', 't/b', 't0'])
      const folded = ['t-/', 't.txt', 't/', 't0']
      equal(await scope.names(), ['t-/a', 't.txt', 't/a', 't/b', 't0'], 'names')
      for (const limit of [1, 2, 3, 4]) {
        equal((await pages(scope, limit, { delimiter: '/' })).flat(), folded, `entries of pages of ${limit}`)
        equal(
          await scope.names({ delimiter: '/', pageSize: limit }),
          folded,
          `entries with pageSize ${limit}`,
        )
      }
    },
  },
  {
    id: 'list/folder-goes-with-last-child',
    title: 'a folder is there as long as an object is in it',
    covers: [86],
    async run(scope) {
      await store(scope, ['f/deep/1', 'f/deep/2', 'g'])
      await scope.remove(scope.key('f/deep/1'))
      equal(await scope.names({ delimiter: '/' }), ['f/', 'g'], 'entries with one child left')
      await scope.remove(scope.key('f/deep/2'))
      equal(await scope.names({ delimiter: '/' }), ['g'], 'entries without a child')
      equal(
        await scope.names({ delimiter: '/', prefix: scope.key('f/') }),
        [],
        'entries in the folder that is gone',
      )
      await scope.put(scope.key('f'), 'a file of the same name')
      equal(await scope.names(), ['f', 'g'], 'names')
    },
  },
  {
    id: 'list/prefix-is-a-string',
    title: 'a prefix may be a whole name, a part of a segment, or no name at all',
    covers: [87],
    async run(scope) {
      await store(scope, ['p/file', 'p/file2', 'p/fine/x', 'q'])
      for (const [prefix, expected] of [
        ['p/file', ['p/file', 'p/file2']],
        ['p/file2', ['p/file2']],
        ['p/fi', ['p/file', 'p/file2', 'p/fine/x']],
        ['p', ['p/file', 'p/file2', 'p/fine/x']],
        ['P', []],
        ['p/file/', []],
        ['none', []],
      ] as const) {
        if (prefix === 'P' && !scope.capabilities.keys.caseSensitive) continue
        equal(await scope.names({ prefix: scope.key(prefix) }), [...expected], `names under '${prefix}'`)
      }
      equal(
        await scope.names({ prefix: scope.key('p/fi'), delimiter: '/' }),
        ['p/file', 'p/file2', 'p/fine/'],
        'folded',
      )
    },
  },
  {
    id: 'list/without-prefix',
    title: 'a list without a prefix holds everything, as page does',
    covers: [87],
    async run(scope) {
      const names = await store(scope, ['w/1', 'w/2'])
      const found: string[] = []
      for await (const entry of scope.files.list()) found.push(entryName(entry))
      for (const name of names)
        ok(found.includes(scope.key(name)), `'${name}' is not in the list of everything`)
    },
  },
  {
    id: 'list/right-after-changes',
    title: 'a list right after a put, an overwrite or a delete shows it',
    covers: [88],
    async run(scope) {
      for (let n = 0; n < 5; n++) {
        const key = scope.key(`now-${n}`)
        await scope.put(key, 'one')
        equal(await scope.names(), [`now-${n}`], 'names after the put')
        await scope.put(key, 'second')
        const [entry] = await entries(scope)
        equal(entry?.kind === 'object' ? entry.size : undefined, 6, 'listed size after the overwrite')
        await scope.remove(key)
        equal(await scope.names(), [], 'names after the delete')
      }
    },
  },
  {
    id: 'list/equals-info',
    title: 'sizes, etags and times in a list equal those of info',
    covers: [89],
    async run(scope) {
      for (const [n, name] of ['a.txt', 'b/c.txt', 'd e.bin'].entries()) {
        if (scope.holds(scope.key(name))) await scope.put(scope.key(name), 'x'.repeat(n * 10))
      }
      for (const entry of await entries(scope)) {
        ok(entry.kind === 'object', 'a prefix in a list without a delimiter')
        const info = await scope.files.info(entry.key)
        equal(entry.size, info.size, `size of ${entry.key}`)
        if (entry.etag !== undefined) equal(entry.etag, info.etag, `etag of ${entry.key}`)
        if (entry.lastModified === undefined || info.lastModified === undefined) continue
        // HTTP has whole seconds, lists of XML and JSON have fractions.
        const apart = Math.abs(entry.lastModified.getTime() - info.lastModified.getTime())
        ok(apart < 1000, `lastModified of ${entry.key} differs by ${apart} ms`)
      }
    },
  },
]
