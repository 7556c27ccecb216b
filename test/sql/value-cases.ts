/** Each value comes back as it went in, to the last bit and in its own type. */
import { expect } from 'vitest'
import type { Engine, SqlValue } from '../../src/sql/engine.ts'
import { type EngineCase, expectCode, keyedTable, keysIn, roundTrip } from './engine-case.ts'

const MIB = 2 ** 20

/** By name, the column type and the value. */
const KEPT: readonly (readonly [name: string, type: keyof Engine['types'], value: SqlValue])[] = [
  ['the largest integer', 'integer', 2n ** 63n - 1n],
  ['the smallest integer', 'integer', -(2n ** 63n)],
  ['an integer just beyond the doubles', 'integer', 2n ** 53n + 1n],
  ['the integer zero', 'integer', 0n],
  ['a small integer', 'integer', 7n],
  ['0.0', 'real', 0],
  ['-0.0', 'real', -0],
  ['1.0', 'real', 1],
  ['-1.0', 'real', -1],
  ['a third', 'real', 1 / 3],
  ['0.1', 'real', 0.1],
  ['the largest double', 'real', Number.MAX_VALUE],
  ['the smallest subnormal', 'real', Number.MIN_VALUE],
  ['the largest subnormal', 'real', 2.225073858507201e-308],
  ['a whole double beyond 2^53', 'real', 2 ** 53 + 2],
  ['a whole double beyond 64 bits', 'real', 1e300],
  ['every byte', 'blob', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
  ['an empty blob', 'blob', new Uint8Array(0)],
  ['a blob that looks like text', 'blob', new TextEncoder().encode("x'41'")],
  ['a blob of 1 MiB', 'blob', Uint8Array.from({ length: MIB }, (_, index) => (index * 31) % 256)],
  ['empty text', 'text', ''],
  ['emoji', 'text', '👩‍👩‍👧‍👦 😀 e\u0301 é'],
  ['text beyond the first plane', 'text', '\u{10ffff}\u{1f600}\ufffd\ufeff'],
  ['text with quotes and backslashes', 'text', `'"\\\\'' \\x41 \\n $1 ? :a @b`],
  ['text with control characters', 'text', '\u0001\t\r\n\u007f\u0085\u2028'],
  ["text that looks like a blob, x'41'", 'text', "x'41'"],
  ["text that looks like a blob, X'41'", 'text', "X'41'"],
  ['text that looks like bytea', 'text', '\\x41'],
  ['text that looks like an integer', 'text', '9007199254740993'],
  ['text that looks like a number', 'text', '1.0'],
  ['text that looks like an exponent', 'text', '1e3'],
  ['text that looks like a date', 'text', '2026-01-02T03:04:05.000Z'],
  ['text that looks like JSON', 'text', '{"a":[1,2.0,null]}'],
  ['text that says null', 'text', 'NULL'],
  ['text of 1 MiB', 'text', 'aé😀'.repeat(MIB / 8)],
  ['NULL as an integer', 'integer', null],
  ['NULL as a real', 'real', null],
  ['NULL as text', 'text', null],
  ['NULL as a blob', 'blob', null],
]

const REFUSED: readonly (readonly [name: string, type: keyof Engine['types'], value: unknown])[] = [
  ['infinity', 'real', Number.POSITIVE_INFINITY],
  ['minus infinity', 'real', Number.NEGATIVE_INFINITY],
  ['NaN', 'real', Number.NaN],
  ['an integer above 64 bits', 'integer', 2n ** 63n],
  ['an integer below 64 bits', 'integer', -(2n ** 63n) - 1n],
  ['a boolean', 'integer', true],
  ['undefined', 'text', undefined],
  ['a date', 'integer', new Date(0)],
  ['an object', 'text', { a: 1 }],
  ['a lone high surrogate', 'text', 'a\ud800b'],
  ['a lone low surrogate', 'text', '\udc00'],
]

export const VALUE_CASES: readonly EngineCase[] = [
  ...KEPT.map(
    ([name, type, value]): EngineCase => ({
      title: `keeps ${name}`,
      run: async context => {
        const back = await roundTrip(context, type, value)
        if (value instanceof Uint8Array) expectBytes(back, value)
        // Not `toBe`: it would print a megabyte. Tells -0 from 0, and a bigint from a number.
        else expect(Object.is(back, value), `${typeof back} ${String(back).slice(0, 50)}`).toBe(true)
      },
    }),
  ),
  ...REFUSED.map(
    ([name, type, value]): EngineCase => ({
      title: `refuses ${name} and writes nothing`,
      run: async context => {
        const name = await keyedTable(context, type)
        const insert = `INSERT INTO ${name} (k, v) VALUES (?, ?)`
        await expectCode(
          context.engine.batch([
            [insert, 'fine', null],
            [insert, 'refused', value as SqlValue],
          ]),
          'invalid-argument',
        )
        expect(await keysIn(context.engine, name)).toEqual([])
      },
    }),
  ),
  {
    title: 'keeps text with NUL, or refuses it and writes nothing',
    run: async context => {
      const name = await keyedTable(context, 'text')
      const insert = () =>
        context.engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'key', 'a\0b\0']])
      if (context.engine.textHoldsNul) {
        await insert()
        expect(await context.engine.query([`SELECT v FROM ${name}`])).toEqual([{ v: 'a\0b\0' }])
      } else {
        await expect(insert()).rejects.toThrow(/NUL/)
        expect(await keysIn(context.engine, name)).toEqual([])
      }
    },
  },
  {
    title: 'tells an empty blob and empty text from NULL',
    run: async context => {
      const { engine } = context
      const blobs = await keyedTable(context, 'blob')
      const texts = await keyedTable(context, 'text')
      await engine.batch([
        [`INSERT INTO ${blobs} (k, v) VALUES (?, ?), (?, ?)`, 'empty', new Uint8Array(0), 'null', null],
        [`INSERT INTO ${texts} (k, v) VALUES (?, ?), (?, ?)`, 'empty', '', 'null', null],
      ])
      for (const name of [blobs, texts]) {
        const rows = await engine.query([`SELECT k FROM ${name} WHERE v IS NULL`])
        expect(rows).toEqual([{ k: 'null' }])
      }
    },
  },
  {
    title: 'calculates with a whole double as with a double',
    run: async context => {
      const name = await keyedTable(context, 'real')
      await context.engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'key', 1]])
      expect(await context.engine.query([`SELECT v / 2 AS half FROM ${name}`])).toEqual([{ half: 0.5 }])
    },
  },
  {
    title: 'takes a whole number for an integer column, as an integer',
    run: async context => {
      const back = await roundTrip(context, 'integer', 12)
      expect(back).toBe(12n)
    },
  },
  {
    title: 'keeps the part of an array that a view shows',
    run: async context => {
      const view = Uint8Array.from([9, 1, 2, 3, 9]).subarray(1, 4)
      expectBytes(await roundTrip(context, 'blob', view), Uint8Array.from([1, 2, 3]))
      expectBytes(await roundTrip(context, 'blob', Buffer.from([4, 5])), Uint8Array.from([4, 5]))
    },
  },
  {
    title: 'finds each text and blob by its value',
    run: async context => {
      const { engine } = context
      const texts = await keyedTable(context, 'text')
      const blobs = await keyedTable(context, 'blob')
      const values = ["x'41'", "X'41'", 'A', '\\x41', '65']
      const bytes = (text: string) => new TextEncoder().encode(text)
      for (const value of values) {
        await engine.batch([
          [`INSERT INTO ${texts} (k, v) VALUES (?, ?)`, value, value],
          [`INSERT INTO ${blobs} (k, v) VALUES (?, ?)`, value, bytes(value)],
        ])
      }
      for (const value of values) {
        expect(await engine.query([`SELECT k FROM ${texts} WHERE v = ?`, value])).toEqual([{ k: value }])
        expect(await engine.query([`SELECT k FROM ${blobs} WHERE v = ?`, bytes(value)])).toEqual([
          { k: value },
        ])
      }
    },
  },
  {
    title: 'sorts text byte by byte',
    run: async context => {
      const name = await keyedTable(context)
      const sorted = ['', ' a', 'A', 'Z', 'a', 'a ', 'a-b', 'aa', 'b', 'é', '\uffee', '😀']
      for (const key of sorted.toReversed())
        await context.engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, key]])
      expect(await keysIn(context.engine, name)).toEqual(sorted)
    },
  },
  {
    title: 'gives counts as integers, whatever their size',
    run: async context => {
      const name = await keyedTable(context)
      expect(await context.engine.query([`SELECT COUNT(*) AS n FROM ${name}`])).toEqual([{ n: 0n }])
    },
  },
]

function expectBytes(back: unknown, value: Uint8Array): void {
  expect(Object.getPrototypeOf(back)).toBe(Uint8Array.prototype)
  expect(Buffer.compare(back as Uint8Array, value)).toBe(0)
}
