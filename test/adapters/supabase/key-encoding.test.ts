import { describe, expect, it } from 'vitest'
import {
  ALLOWED_NAME,
  escapeKey,
  escapePrefix,
  unescapeKey,
} from '../../../src/adapters/supabase/key-encoding.ts'
import { compareKeys } from '../../../src/core/keys.ts'

/** Both sides of every border that the encoding knows. */
const CHARACTERS = [
  ...Array.from({ length: 127 }, (_, at) => String.fromCharCode(at + 1)),
  ...['\u0080', 'é', '☺', '日', '\ud7ff', '\ue000', '\uffff', '😀', '\u{30000}', '\u{384ef}', '\u{384f0}'],
  '\u{10ffff}',
  // What the encoding is made of comes more often.
  ...'zzzzz    __!!$$;;==ZZ002',
]

/** Numbers that are the same in each run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    yield state >> 8
  }
}

function* keys(): Generator<string> {
  const random = numbers(42)
  const below = (limit: number) => random.next().value! % limit
  for (;;) yield Array.from({ length: 1 + below(6) }, () => CHARACTERS[below(CHARACTERS.length)]).join('')
}

describe('the escape of keys', () => {
  it('leaves usual keys as they are', () => {
    for (const key of ['a/b/photo.jpg', 'my_file-2.tar.gz', 'A b (1).pdf', 'x=1&y=2', 'size.zip'])
      expect(escapeKey(key)).toBe(key)
  })

  it.each([
    ['Übersicht.pdf', 'zz13Ybersicht.pdf'],
    ['100%.txt', '100$z25.txt'],
    ['a#b', 'a!z23b'],
    ['pizza', 'pizz0za'],
    ['_zip', '_z0zip'],
    ['end ', 'end  2'],
    ['a\tb', 'a  09b'],
  ])('writes %j as %j', (key, name) => {
    expect(escapeKey(key)).toBe(name)
  })

  it('maps every key to a name that Supabase takes, one-to-one, in order, and with its prefixes', () => {
    const source = keys()
    for (let round = 0; round < 100_000; round++) {
      const [a, b] = [source.next().value!, source.next().value!]
      const [x, y] = [escapeKey(a), escapeKey(b)]
      const shown = JSON.stringify([a, b, x, y])
      if (!ALLOWED_NAME.test(x)) expect.fail(`not allowed: ${shown}`)
      if (unescapeKey(x) !== a) expect.fail(`does not come back: ${shown}`)
      const order = x < y ? -1 : x > y ? 1 : 0
      if (Math.sign(compareKeys(a, b)) !== order) expect.fail(`out of order: ${shown}`)
      if (!escapeKey(a + b).startsWith(escapePrefix(a))) expect.fail(`prefix lost: ${shown}`)
      if (!x.startsWith(escapePrefix(a))) expect.fail(`prefix of itself lost: ${shown}`)
    }
  })

  it.each(['my_zoo', 'zz', 'a  b', 'zz000', 'zzzzzzz', 'zz1_0', 'end ', '!z41', 'Zz1', 'zzFNs'])(
    'says of %j that no key is written so',
    name => {
      expect(unescapeKey(name)).toBeUndefined()
    },
  )
})
