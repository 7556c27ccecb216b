import { describe, expect, expectTypeOf, it } from 'vitest'
import { isStorageError, StorageError } from '../../src/core/errors.ts'
import { type KeyParameters, keys } from '../../src/core/key-layout.ts'
import { randomOf } from '../records/support/random.ts'

const ID = '0b9f9a3e-6a53-4f0c-9d5e-3c2f1a7b8d90'
const FEED = '7d444840-9dc0-11d1-b245-5ffdce74fad2'

const layout = keys({
  image: '{userId}/{threadId}/{kind:insert|gen|mask|expand}_{id:uuid}',
  temp: '{userId}/temp/{rest...}',
  feed: 'feed/{feedId:uuid}/{kind:insert|watermark}_{id:uuid}',
})

describe('keys', () => {
  it('builds keys of parameters and reads them back', () => {
    const key = layout.image.build({ userId: 'u1', threadId: 't1', kind: 'gen', id: ID })
    expect(key).toBe(`u1/t1/gen_${ID}`)
    expect(layout.parse(key)).toEqual({
      name: 'image',
      params: { userId: 'u1', threadId: 't1', kind: 'gen', id: ID },
    })
    expect(layout.parse('u1/temp/a/b.png')).toEqual({
      name: 'temp',
      params: { userId: 'u1', rest: 'a/b.png' },
    })
    expect(layout.parse(`feed/${FEED}/watermark_${ID}`)).toEqual({
      name: 'feed',
      params: { feedId: FEED, kind: 'watermark', id: ID },
    })
  })

  it('reads numbers as numbers and days as they are', () => {
    const log = keys({ page: 'logs/{day:date}/{page:int}.txt' })
    const key = log.page.build({ day: '2028-02-29', page: 12 })
    expect(key).toBe('logs/2028-02-29/12.txt')
    expect(log.page.parse(key)).toEqual({ day: '2028-02-29', page: 12 })
    expect(log.parse('logs/2026-02-29/12.txt')).toBeUndefined()
    expect(log.parse('logs/2028-02-29/012.txt')).toBeUndefined()
    expect(log.parse('logs/2028-02-29/9999999999999999.txt')).toBeUndefined()
  })

  it('serves a plugin store', () => {
    const store = keys({ file: '{name}/{version}/{file}' })
    expect(store.file.build({ name: 'clock', version: '1.2.0', file: 'index.js' })).toBe(
      'clock/1.2.0/index.js',
    )
    expect(store.parse('clock/1.2.0/dist/index.js')).toBeUndefined()
    expect(store.file.prefix({ name: 'clock' })).toBe('clock/')
  })

  it.each([
    `u1/t1/gen_${ID.toUpperCase()}`,
    `u1/t1/paint_${ID}`,
    `u1/t1/gen_${ID}x`,
    `u1//gen_${ID}`,
    `u1/t1/x/gen_${ID}`,
    'u1/temp/',
    'u1/temp//a',
    'u1/temp/../t1',
    'u1/temp/a\0',
    'u1/temp/\ud800',
    '',
    `u1/temp/${'x'.repeat(1024)}`,
  ])('reads %j as no key of the layout', key => expect(layout.parse(key)).toBeUndefined())

  it('reads what is no string as no key', () => {
    expect(layout.parse(undefined as unknown as string)).toBeUndefined()
  })
})

describe('prefix', () => {
  it('gives the beginning of all keys with the leading parameters', () => {
    expect(layout.image.prefix({})).toBe('')
    expect(layout.image.prefix({ userId: 'u1' })).toBe('u1/')
    expect(layout.image.prefix({ userId: 'u1', threadId: 't1' })).toBe('u1/t1/')
    expect(layout.image.prefix({ userId: 'u1', threadId: 't1', kind: 'gen' })).toBe('u1/t1/gen_')
    expect(layout.feed.prefix({})).toBe('feed/')
    expect(layout.temp.prefix({ userId: 'u1' })).toBe('u1/temp/')
  })

  it('takes parameters with names that every object answers to', () => {
    const odd = keys({ odd: '{constructor}/{toString}' })
    const params = { constructor: 'a', toString: 'b' }
    expect(odd.odd.build(params as never)).toBe('a/b')
    expect({ ...odd.odd.parse('a/b') }).toEqual(params)
    expect(odd.odd.prefix({} as never)).toBe('')
    expect(odd.odd.prefix({ constructor: 'a' } as never)).toBe('a/')
    expect(() => odd.odd.build({} as never)).toThrow('odd needs constructor')
  })

  it('refuses a parameter behind one that is missing', () => {
    expect(refusal(() => layout.image.prefix({ threadId: 't1' }))).toEqual([
      'invalid-argument',
      'prefix: image needs userId',
    ])
  })

  it('refuses values as build does', () => {
    expect(refusal(() => layout.image.prefix({ userId: '..' }))[0]).toBe('invalid-key')
  })
})

describe('build', () => {
  const rest = { threadId: 't1', kind: 'gen', id: ID } as const

  it.each([
    ['', 'must not be empty'],
    ['a/b', 'must not contain a slash'],
    ['/', 'must not contain a slash'],
    ['.', "must not contain '.' or '..' as a segment"],
    ['..', "must not contain '.' or '..' as a segment"],
    ['\ud800', 'lone surrogate'],
    ['a\udc00', 'lone surrogate'],
    ['a\0b', 'NUL'],
    ['feed', 'must not be "feed": such keys are those of feed'],
    ['x'.repeat(1025), '1025 bytes'],
  ])('refuses %j as text and says why', (userId, reason) => {
    const [code, message] = refusal(() => layout.image.build({ userId, ...rest }))
    expect(code).toBe('invalid-key')
    expect(message).toContain('build: userId of image ')
    expect(message).toContain(reason)
  })

  it('refuses a key that is too long as a whole', () => {
    const [code, message] = refusal(() => layout.image.build({ userId: 'x'.repeat(1000), ...rest }))
    expect([code, message]).toEqual([
      'invalid-key',
      expect.stringMatching(/the key of image is \d+ bytes long/),
    ])
  })

  it('refuses text that holds what ends it', () => {
    const versioned = keys({ file: '{name}--{version}' })
    for (const name of ['a--b', 'a-', '--'])
      expect(refusal(() => versioned.file.build({ name, version: '1' }))).toEqual([
        'invalid-key',
        'build: name of file must not contain "--", which ends it in the pattern',
      ])
    expect(versioned.file.parse(versioned.file.build({ name: 'a-b', version: '1--2' }))).toEqual({
      name: 'a-b',
      version: '1--2',
    })
  })

  it.each([
    ['id', 'not-a-uuid', 'must be a UUID in lower case'],
    ['id', ID.toUpperCase(), 'must be a UUID in lower case'],
    ['kind', 'paint', 'must be one of insert, gen, mask, expand'],
    ['kind', 'gen|mask', 'must be one of'],
  ])('refuses a %s of %j', (name, value, reason) => {
    const [code, message] = refusal(() => layout.image.build({ userId: 'u1', ...rest, [name]: value }))
    expect([code, message]).toEqual(['invalid-key', expect.stringContaining(reason)])
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('refuses %d as a whole number', n => {
    expect(refusal(() => keys({ page: '{n:int}' }).page.build({ n }))[0]).toBe('invalid-key')
  })

  it.each(['2026-02-29', '2026-13-01', '2026-1-1', 'today', '2026-01-31T00:00'])(
    'refuses %j as a day',
    day => {
      expect(refusal(() => keys({ log: '{day:date}' }).log.build({ day }))[0]).toBe('invalid-key')
    },
  )

  it.each(['', '/', 'a/', '/a', 'a//b', '..', 'a/../b', '\ud800'])('refuses %j as the rest', value => {
    expect(refusal(() => layout.temp.build({ userId: 'u1', rest: value }))[0]).toBe('invalid-key')
  })

  it('refuses what is missing, unknown or of another type as an argument', () => {
    const build = layout.image.build.bind(layout.image) as (params: unknown) => string
    expect(refusal(() => build({ ...rest }))).toEqual(['invalid-argument', 'build: image needs userId'])
    expect(refusal(() => build({ userId: 'u1', ...rest, user: 'x' }))).toEqual([
      'invalid-argument',
      "build: image has no parameter 'user'; it has userId, threadId, kind, id",
    ])
    expect(refusal(() => build({ userId: 1, ...rest }))[0]).toBe('invalid-argument')
    expect(refusal(() => build({ userId: null, ...rest }))[0]).toBe('invalid-argument')
    expect(refusal(() => build(undefined))[0]).toBe('invalid-argument')
    expect(refusal(() => keys({ page: '{n:int}' }).page.build({ n: '1' as unknown as number }))[0]).toBe(
      'invalid-argument',
    )
  })
})

describe('a layout', () => {
  it.each([
    [{ a: '{x}{y}' }, 'a fixed text must stand between {x} and {y}'],
    [{ a: '{x:uuid}{y:uuid}' }, 'a fixed text must stand between'],
    [{ a: '{x}/{x}' }, '{x} stands in it twice'],
    [{ a: '{rest...}/x' }, '{rest...} must be the whole last segment'],
    [{ a: 'x-{rest...}' }, '{rest...} must be the whole last segment'],
    [{ a: '/x' }, 'must not begin or end with a slash'],
    [{ a: 'x/' }, 'must not begin or end with a slash'],
    [{ a: 'x//{y}' }, 'two in a row'],
    [{ a: '' }, 'must not begin or end with a slash'],
    [{ a: '../{x}' }, "must not contain '.' or '..'"],
    [{ a: '{x' }, 'a brace'],
    [{ a: 'x}' }, 'a brace'],
    [{ a: '{}' }, 'must be a name'],
    [{ a: '{x:guid}' }, "'guid' of {x:guid} is no kind; known are uuid, int, date, and words as a|b|c"],
    [{ a: '{x:a|}' }, 'must be distinct and not empty'],
    [{ a: '{x:a|a}' }, 'must be distinct and not empty'],
    [{ a: '{x:a_b|c}_{y}' }, "the word a_b contains '_', which ends {x}"],
    [{ a: '{x:int}0{y}' }, 'must not be followed by a digit'],
    [{ a: 7 }, 'a pattern must be a string'],
    [{ parse: '{x}' }, "'parse' can't be the name"],
    [{ 'a b': '{x}' }, "'a b' can't be the name"],
    [{}, 'give an object of patterns'],
    [null, 'give an object of patterns'],
  ])('that is %j is refused', (patterns, reason) => {
    const [code, message] = refusal(() => keys(patterns as never))
    expect([code, message]).toEqual(['invalid-argument', expect.stringContaining(reason)])
  })

  it.each([
    { a: '{x}/{y}', b: '{p}/{q}' },
    { a: '{x}', b: '{y...}' },
    { a: 'x/{y...}', b: 'x/{z...}' },
    { a: 'x/{y...}', b: 'x/{p}/{q}' },
    { a: 'img_{x}', b: '{y}_thumb' },
    { a: '{x:a|b}_{y}', b: '{x:b|c}_{y}' },
    { a: '{x:uuid}', b: '{y:uuid}' },
    { a: '{x:uuid}', b: '{y}' },
    { a: 'x', b: 'x' },
    { a: '{x:a|b}', b: 'a' },
    { a: 'v{x}', b: 'v1' },
  ])('of two patterns that one key could have is refused: $a and $b', patterns => {
    const [code, message] = refusal(() => keys(patterns))
    expect(code).toBe('invalid-argument')
    expect(message).toContain('a key of it can be one of a, too')
  })

  it.each([
    { a: '{x}', b: '{x}/{y}' },
    { a: '{x:uuid}', b: '{y:int}' },
    { a: '{x:uuid}', b: '{kind:gen|mask}_{y:uuid}' },
    { a: 'a-{x}', b: 'b-{x}' },
    { a: '{x}.jpg', b: '{x}.png' },
    { a: '{x:a|b}_{y}', b: '{x:c|d}_{y}' },
    { a: '{x}/one', b: '{x}/two' },
    { a: '{x}/{y}', b: 'x/{y...}' },
  ])('whose patterns have no key in common is taken: $a and $b', patterns => {
    expect(Object.keys(keys(patterns))).toEqual(['a', 'b', 'parse'])
  })

  it('keeps a fixed word of one pattern from the parameter of another', () => {
    const two = keys({ own: '{user}/x', shared: 'shared/{name}' })
    expect(two.parse('shared/x')).toEqual({ name: 'shared', params: { name: 'x' } })
    expect(refusal(() => two.own.build({ user: 'shared' }))[0]).toBe('invalid-key')
  })
})

describe('any layout', () => {
  const HOSTILE = [
    '',
    '/',
    '.',
    '..',
    '_',
    'feed',
    'temp',
    '\ud83d',
    '\0',
    '{a}',
    '$&',
    '\n',
    '😀',
    'é',
    '%2F',
  ]
  const random = randomOf('key layouts')
  const below = (most: number) => Math.floor(random() * most)
  const one = <T>(values: readonly T[]): T => values[below(values.length)]!
  const text = () => Array.from({ length: 1 + below(3) }, () => one([...HOSTILE, 'a', 'b', '1'])).join('')
  const uuid = () => ID.replace(/[0-9a-f]/g, () => below(16).toString(16))

  it('reads back what it builds, or refuses to build it', () => {
    let built = 0
    for (let turn = 0; turn < 5_000; turn++) {
      const [name, params] = one<[keyof typeof layout, object]>([
        ['image', { userId: text(), threadId: text(), kind: one(['insert', 'mask']), id: uuid() }],
        ['temp', { userId: text(), rest: text() }],
        ['feed', { feedId: uuid(), kind: one(['insert', 'watermark']), id: uuid() }],
      ])
      try {
        const key = (layout[name] as { build(params: object): string }).build(params)
        expect(layout.parse(key)).toEqual({ name, params })
        built++
      } catch (error) {
        if (!isStorageError(error, 'invalid-key')) throw error
      }
    }
    expect(built).toBeGreaterThan(2_000)
  })

  it('reads a key by one pattern at most, and builds the same key of what it read', () => {
    const PIECES = ['{x}', '{y:int}', '{y:uuid}', '{z:a|ab|1}', 'a', 'b', 'ab', '1', '-', '_', '/', '/', '/']
    const pattern = () => {
      const parts = Array.from({ length: 1 + below(6) }, () => one(PIECES)).join('')
      return below(5) === 0 ? `${parts}/{rest...}` : parts
    }
    let [taken, refused, read] = [0, 0, 0]
    for (let turn = 0; turn < 8_000; turn++) {
      try {
        const any = keys({ one: pattern(), two: pattern() } as Record<string, string>)
        taken++
        for (let many = 0; many < 20; many++) {
          const key = Array.from({ length: 1 + below(5) }, () =>
            one(['a', 'b', 'ab', '1', '0', '-', '_', '/', '/', ID]),
          ).join('')
          const [first, second] = [any.one!.parse(key), any.two!.parse(key)]
          expect(first !== undefined && second !== undefined, `${key} by both`).toBe(false)
          const match = any.parse(key)
          expect(match?.params).toEqual(first ?? second)
          if (match === undefined) continue
          read++
          expect(any[match.name]!.build(match.params)).toBe(key)
        }
      } catch (error) {
        if (!isStorageError(error, 'invalid-argument')) throw error
        refused++
      }
    }
    expect(taken).toBeGreaterThan(1_000)
    expect(refused).toBeGreaterThan(1_000)
    expect(read).toBeGreaterThan(300)
  })
})

describe('the types', () => {
  it('are those of the pattern', () => {
    expectTypeOf<KeyParameters<'{a}/{b:int}-{c:x|y}/{rest...}'>>().toEqualTypeOf<{
      a: string
      b: number
      c: 'x' | 'y'
      rest: string
    }>()
    expectTypeOf<Parameters<typeof layout.image.build>[0]>().toEqualTypeOf<{
      userId: string
      threadId: string
      kind: 'insert' | 'gen' | 'mask' | 'expand'
      id: string
    }>()
    const match = layout.parse('x')
    if (match?.name === 'feed') expectTypeOf(match.params.kind).toEqualTypeOf<'insert' | 'watermark'>()
    if (match?.name === 'temp') expectTypeOf(match.params).toEqualTypeOf<{ userId: string; rest: string }>()
    expectTypeOf(match?.name).toEqualTypeOf<'image' | 'temp' | 'feed' | undefined>()
  })

  it('let no other parameters through', () => {
    const never = () => {
      // @ts-expect-error kind is missing
      layout.image.build({ userId: 'u', threadId: 't', id: ID })
      // @ts-expect-error paint is no word of kind
      layout.image.build({ userId: 'u', threadId: 't', id: ID, kind: 'paint' })
      // @ts-expect-error user is no parameter
      layout.image.prefix({ user: 'u' })
      // @ts-expect-error there is no such pattern
      layout.photo.build({})
      // @ts-expect-error parse is what reads keys
      keys({ parse: '{x}' })
    }
    expect(never).toBeTypeOf('function')
  })
})

function refusal(run: () => unknown): [code: string, message: string] {
  try {
    run()
  } catch (error) {
    if (error instanceof StorageError) return [error.code, error.message]
    throw error
  }
  throw new Error('it was not refused')
}
