import { compareKeys } from '../core/keys.ts'
import { entryName } from '../core/listing.ts'
import type { ListOptions } from '../core/options.ts'
import { equal, fails, ok } from './assertions.ts'
import { atOnce } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

/** Stores an object under each name that the provider holds, and returns those names in order. */
async function store(scope: Scope, names: readonly string[]): Promise<string[]> {
  const held = names.filter(name => scope.holds(scope.key(name)))
  await atOnce(held, async name => void (await scope.put(scope.key(name), `of ${name}`)))
  return held.sort(compareKeys)
}

/** Pages of a list as names, from the first to the one without `next`. */
async function pages(scope: Scope, limit: number, options: ListOptions = {}): Promise<string[][]> {
  const list = scope.files.list({ ...options, prefix: options.prefix ?? scope.prefix })
  const found: string[][] = []
  let after: string | undefined
  do {
    const page = await list.page(after === undefined ? { limit } : { after, limit })
    found.push(page.items.map(entry => entryName(entry).slice(scope.prefix.length)))
    ok(page.items.length <= limit, `a page of at most ${limit} has ${page.items.length} entries`)
    ok(page.next === undefined || page.next !== after, 'next is the same twice')
    ok(found.length <= 2000, 'pages have no end')
    after = page.next
  } while (after !== undefined)
  return found
}

export const LIST_CASES: readonly ConformanceCase[] = [
  {
    id: 'list/small-pages',
    title:
      'none, one and three objects, whole and in pages of 1, 2, 3: no page is empty but that of an empty list',
    covers: [78],
    async run(scope) {
      equal(await scope.names(), [], 'names in an empty list')
      equal(await pages(scope, 1), [[]], 'pages of an empty list')
      await store(scope, ['a'])
      equal(await scope.names(), ['a'], 'names of one object')
      equal(await pages(scope, 1), [['a']], 'pages of one object')
      await store(scope, ['b', 'c'])
      for (const pageSize of [1, 2, 3, 1000])
        equal(await scope.names({ pageSize }), ['a', 'b', 'c'], `pageSize ${pageSize}`)
      equal(await pages(scope, 1), [['a'], ['b'], ['c']], 'pages of 1')
      equal(await pages(scope, 2), [['a', 'b'], ['c']], 'pages of 2')
      equal(await pages(scope, 3), [['a', 'b', 'c']], 'pages of 3')
      const first = await scope.files.list({ prefix: scope.prefix, pageSize: 2 }).page()
      equal(first.items.length, 2, 'entries of a page without a limit, by pageSize')
    },
  },
  {
    id: 'list/insert-into-returned-page',
    title: 'an object stored into a page that was returned makes the next neither repeat nor skip',
    covers: [79],
    async run(scope) {
      await store(scope, ['a', 'b', 'c', 'd'])
      const list = scope.files.list({ prefix: scope.prefix })
      const first = await list.page({ limit: 2 })
      await store(scope, ['a1', '0'])
      const second = await list.page({ after: first.next!, limit: 2 })
      equal(second.items.map(entryName), [scope.key('c'), scope.key('d')], 'second page')
      equal(second.next, undefined, 'next of the last page')
    },
  },
  {
    id: 'list/delete-from-returned-page',
    title: 'an object deleted from a page that was returned makes the next neither repeat nor skip',
    covers: [80],
    async run(scope) {
      await store(scope, ['a', 'b', 'c', 'd'])
      const list = scope.files.list({ prefix: scope.prefix })
      const first = await list.page({ limit: 2 })
      await scope.remove(scope.key('b'))
      await scope.remove(scope.key('a'))
      const second = await list.page({ after: first.next!, limit: 2 })
      equal(second.items.map(entryName), [scope.key('c'), scope.key('d')], 'second page')
    },
  },
  {
    id: 'list/changed-while-iterated',
    title: 'deleting what is listed while it is listed gives each object once',
    covers: [80],
    async run(scope) {
      const names = await store(scope, ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      const seen: string[] = []
      for await (const entry of scope.files.list({ prefix: scope.prefix, pageSize: 2 })) {
        seen.push(entryName(entry).slice(scope.prefix.length))
        await scope.remove(entryName(entry))
      }
      equal(seen, names, 'names listed')
      equal(await scope.names(), [], 'names left')
    },
  },
  {
    id: 'list/1001-objects',
    title: '1,001 objects and more are listed completely, whole, in pages, and folded',
    covers: [81],
    async run(scope) {
      const names = Array.from({ length: 1003 }, (_, n) => `many/${String(n).padStart(4, '0')}`)
      await atOnce(names, async name => void (await scope.put(scope.key(name), 'x')))
      equal(await scope.names(), names, 'names')
      const [first, second, ...more] = await pages(scope, 1000)
      equal([first?.length, second?.length, more.length], [1000, 3, 0], 'entries of the pages')
      equal([...first!, ...second!], names, 'names of the pages')
      const inPages: string[] = []
      for await (const entries of scope.files.list({ prefix: scope.prefix, pageSize: 700 }).pages())
        inPages.push(...entries.map(entry => entryName(entry).slice(scope.prefix.length)))
      equal(inPages, names, 'names of pages()')
      equal(await scope.names({ delimiter: '/' }), ['many/'], 'names folded')
      equal(await scope.names({ delimiter: '/', prefix: scope.key('many/') }), names, 'names in the folder')
    },
  },
  {
    id: 'list/utf8-order',
    title: 'lists are in UTF-8 order, whole and in pages of 1',
    covers: [82],
    async run(scope) {
      const names = await store(
        scope,
        [
          ...['a', 'A', 'a%2F', 'a a', 'a-', 'a.', 'a0', 'aa', 'Z', '_', '~', '!x', 'é', 'ß'],
          ...['a/😀', 'a/\uffee', 'a/\uff5e', '\uffee', '😀', '日本', 'b'],
        ].filter(name => name !== 'a' || scope.capabilities.keys.fileAndFolder),
      )
      equal(await scope.names(), names, 'names')
      equal((await pages(scope, 1)).flat(), names, 'names of pages of 1')
      equal(await scope.names({ pageSize: 1 }), names, 'names with pageSize 1')
    },
  },
  {
    id: 'list/start-after',
    title: 'startAfter is exclusive, also for a name that is not there, before all or behind all',
    covers: [83],
    async run(scope) {
      await store(scope, ['b', 'd/x', 'd/y', 'f'])
      for (const [startAfter, expected] of [
        ['b', ['d/x', 'd/y', 'f']],
        ['a', ['b', 'd/x', 'd/y', 'f']],
        ['c', ['d/x', 'd/y', 'f']],
        ['d/x', ['d/y', 'f']],
        ['d/x/', ['d/y', 'f']],
        ['f', []],
        ['z', []],
      ] as const) {
        const options = { startAfter: scope.key(startAfter) }
        equal(await scope.names(options), [...expected], `names after '${startAfter}'`)
        equal((await pages(scope, 1, options)).flat(), [...expected], `pages after '${startAfter}'`)
      }
      equal(
        await scope.names({ startAfter: '!' }),
        ['b', 'd/x', 'd/y', 'f'],
        'names after a name before the prefix',
      )
      for (const [startAfter, expected] of [
        ['b', ['d/', 'f']],
        ['d', ['d/', 'f']],
        ['d/', ['f']],
        ['d/x', ['f']],
      ] as const)
        equal(
          await scope.names({ startAfter: scope.key(startAfter), delimiter: '/' }),
          [...expected],
          `entries of a folded list after '${startAfter}'`,
        )
    },
  },
  {
    id: 'list/bad-options-are-refused',
    title:
      'page sizes out of range, other delimiters and halves of surrogates are refused as invalid-argument',
    covers: [],
    async run(scope) {
      for (const options of [
        { pageSize: 0 },
        { pageSize: 1001 },
        { pageSize: 1.5 },
        { delimiter: '-' },
        { prefix: '\ud800' },
        { startAfter: 7 },
      ])
        await fails(
          () => scope.names(options as ListOptions),
          'invalid-argument',
          `list(${JSON.stringify(options)})`,
        )
      for (const page of [{ limit: 0 }, { limit: 1001 }, { after: '\ud800' }, { offset: 1 }])
        await fails(
          () => scope.files.list().page(page as object),
          'invalid-argument',
          `page(${JSON.stringify(page)})`,
        )
    },
  },
]

export { pages, store }
