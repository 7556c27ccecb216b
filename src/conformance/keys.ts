import { equal, fails, ok } from './assertions.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { keepsKeys, refusesKey } from './key-checks.ts'
import {
  ASCII_KEYS,
  BACKSLASH_KEYS,
  BRACKET_KEYS,
  EDGE_KEYS,
  PERCENT_KEYS,
  QUOTED_KEYS,
  SLASH_KEYS,
  UNICODE_KEYS,
} from './odd-keys.ts'
import type { Scope } from './scope.ts'

/** A case that stores and finds objects under odd names. */
function keeps(id: string, title: string, covers: number[], names: readonly string[]): ConformanceCase {
  return { id: `keys/${id}`, title, covers, run: scope => keepsKeys(scope, names) }
}

/** Two names that some stores take for one: two objects where they are declared distinct, one where not. */
async function areDistinct(scope: Scope, distinct: boolean, first: string, second: string): Promise<void> {
  const [one, two] = [scope.key(first), scope.key(second)]
  if (!scope.holds(one) || !scope.holds(two)) return keepsKeys(scope, [first, second])
  if (distinct) {
    await scope.put(one, first)
    await scope.isAbsent(two)
    await scope.remove(one)
    return keepsKeys(scope, [first, second])
  }
  await scope.put(one, 'of the first')
  await scope.put(two, 'of the second')
  const names = await scope.names()
  ok(names.length === 1, `${JSON.stringify([first, second])} are two objects though declared to be one`)
  await scope.holdsBytes(one, 'of the second')
}

/** A key of exactly so many bytes whose segments are as long as they may be. */
function keyOfBytes(bytes: number, segment: number, prefix: string): string {
  let key = prefix
  while (bytes - key.length > segment) key += `${'k'.repeat(segment - 1)}/`
  return key + 'k'.repeat(bytes - key.length)
}

export const KEY_CASES: readonly ConformanceCase[] = [
  keeps(
    'slashes',
    'a/b/c and a//b///c, /a and a/ are keys of their own, or refused as declared',
    [1],
    SLASH_KEYS,
  ),
  keeps('backslashes', 'a backslash is a character and never leads out of a folder', [3], BACKSLASH_KEYS),
  keeps(
    'quotes-and-spaces',
    'quotes, spaces, leading digits, signs of URLs and XML are kept',
    [4],
    QUOTED_KEYS,
  ),
  keeps('unicode', 'symbols, emoji, flags and other scripts are kept', [5], UNICODE_KEYS),
  keeps(
    'ascii',
    'each ASCII character is kept, control characters included, or refused as declared',
    [6],
    ASCII_KEYS,
  ),
  keeps('brackets', 'brackets and wildcards in names of files and folders are literal', [7], BRACKET_KEYS),
  keeps('edges', 'space, tab, CR, LF, dot and tilde at the edges of a name are kept', [8], EDGE_KEYS),
  keeps('percent', 'percent signs are literal: %48%45 is not HE, %Q is fine', [11], PERCENT_KEYS),
  {
    id: 'keys/encoded-slash-is-no-slash',
    title: 'a/b%2Fc is not a/b/c',
    covers: [12],
    async run(scope) {
      await areDistinct(scope, true, 'a/b%2Fc', 'a/b/c')
    },
  },
  {
    id: 'keys/dot-segments-are-refused',
    title: 'keys with the segments . and .. are refused by every method, so that none leaves root or prefix',
    covers: [2, 9],
    async run(scope) {
      for (const key of ['.', '..', '../x/../y', '../x', './x']) await refusesKey(scope, key)
      for (const name of ['a/../b', 'a/./b', '..', '.', 'a/..', 'a/.'])
        await refusesKey(scope, scope.key(name))
    },
  },
  {
    id: 'keys/nul-is-refused',
    title: 'a key with NUL is refused by every method',
    covers: [6],
    async run(scope) {
      await refusesKey(scope, scope.key('x\0y'))
    },
  },
  {
    id: 'keys/lone-surrogate-is-refused',
    title: 'a key with half a surrogate pair is refused by every method, nothing is written',
    covers: [10],
    async run(scope) {
      for (const name of ['high\ud800.txt', 'low\udc00.txt', 'swapped\udc00\ud800'])
        await refusesKey(scope, scope.key(name))
    },
  },
  {
    id: 'keys/empty-is-refused',
    title: 'the empty key and what is no string are refused by every method',
    covers: [16],
    async run(scope) {
      await refusesKey(scope, '')
      for (const key of [undefined, null, 7, {}] as unknown as string[])
        await fails(() => scope.files.info(key), 'invalid-key', `info(${String(key)})`)
    },
  },
  {
    id: 'keys/normalization',
    title: 'the composed and the decomposed form of a name are two objects, or one as declared',
    covers: [13],
    async run(scope) {
      const name = 'café.txt'
      const { normalizationSensitive } = scope.capabilities.keys
      await areDistinct(scope, normalizationSensitive, name.normalize('NFC'), name.normalize('NFD'))
    },
  },
  {
    id: 'keys/case',
    title: 'A and a are two objects, or one as declared',
    covers: [14],
    async run(scope) {
      await areDistinct(scope, scope.capabilities.keys.caseSensitive, 'A/File.txt', 'a/file.txt')
    },
  },
  {
    id: 'keys/lengths',
    title:
      'keys of 1 byte and of the declared most bytes are kept, one byte more is refused; so for segments',
    covers: [15],
    async run(scope) {
      const { maxBytes, maxSegmentBytes } = scope.capabilities.keys
      ok(maxBytes <= 1024, `keys.maxBytes is ${maxBytes}; no key is longer than 1,024 bytes`)
      const shortest = scope.bareKey('~')
      if (scope.holds(shortest)) {
        await scope.put(shortest, 'one byte')
        await scope.holdsBytes(shortest, 'one byte')
      }
      const longest = keyOfBytes(maxBytes, maxSegmentBytes, scope.prefix)
      await scope.put(longest, 'longest')
      await scope.holdsBytes(longest, 'longest')
      equal(await scope.names(), [longest.slice(scope.prefix.length)], 'keys')
      await scope.remove(longest)
      await refusesKey(scope, keyOfBytes(maxBytes + 1, maxSegmentBytes, scope.prefix))
      // Four bytes a character: a limit that counts characters would let it pass.
      await refusesKey(scope, scope.prefix + '😀/'.repeat(maxBytes / 5 + 1).slice(0, -1))
      if (maxSegmentBytes + scope.prefix.length + 1 > maxBytes) return
      await keepsKeys(scope, ['s'.repeat(maxSegmentBytes)])
      await refusesKey(scope, scope.key('s'.repeat(maxSegmentBytes + 1)))
    },
  },
  {
    id: 'keys/file-and-folder',
    title: 'a and a/b both exist, or the second is refused as declared and the first stays',
    covers: [17],
    needs: ['writable'],
    async run(scope) {
      if (scope.capabilities.keys.fileAndFolder) {
        await keepsKeys(scope, ['a', 'a/b', 'a/b/c', 'd/e', 'd'])
        return
      }
      for (const [first, second] of [
        ['a', 'a/b'],
        ['c/d', 'c'],
      ] as const) {
        await scope.put(scope.key(first), first)
        const refused = () => scope.files.upload(scope.key(second), second)
        await fails(
          refused,
          ['conflict', 'already-exists', 'invalid-key'],
          `storing ${second} beside ${first}`,
        )
        await scope.holdsBytes(scope.key(first), first)
        await scope.isAbsent(scope.key(second))
      }
      equal(await scope.names(), ['a', 'c/d'], 'keys')
    },
  },
  {
    id: 'keys/neighbours-do-not-mix',
    title: 'foo/x and foo.bar/y, images and images2 never mix: a prefix is a string, not a guess at a folder',
    covers: [18],
    async run(scope) {
      const names = ['foo.bar/y', 'foo/x', 'images/1.png', 'images2/2.png']
      for (const name of names) await scope.put(scope.key(name))
      for (const [prefix, expected] of [
        ['foo/', ['foo/x']],
        ['foo.bar/', ['foo.bar/y']],
        ['foo', ['foo.bar/y', 'foo/x']],
        ['images/', ['images/1.png']],
        ['images', ['images/1.png', 'images2/2.png']],
        ['images2', ['images2/2.png']],
      ] as const) {
        equal(
          await scope.names({ prefix: scope.key(prefix) }),
          [...expected],
          `keys under the prefix '${prefix}'`,
        )
      }
      equal(
        await scope.names({ prefix: scope.key('images'), delimiter: '/' }),
        ['images/', 'images2/'],
        "entries under the prefix 'images' with a delimiter",
      )
    },
  },
]
