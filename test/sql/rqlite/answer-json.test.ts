import { expect, test } from 'vitest'
import { parseAnswer } from '../../../src/sql/rqlite/answer-json.ts'

const valuesOf = (values: string) =>
  parseAnswer(`{"results":[{"values":[[${values}]]}]}`).results![0]!.values![0]

test('keeps the digits of long integers, and of nothing else', () => {
  expect(
    valuesOf('9007199254740993,-9223372036854775808,0.30000000000000004,1e+300,1234567890123456e5'),
  ).toEqual([
    { digits: '9007199254740993' },
    { digits: '-9223372036854775808' },
    0.30000000000000004,
    1e300,
    1234567890123456e5,
  ])
})

test.each([
  '9007199254740993',
  'a "9007199254740993" b',
  'ends with a backslash \\',
  '\\"9007199254740993\\\\',
  '{"digits":"9007199254740993"}',
  '\u2028,9007199254740993,',
])('leaves the text %j alone', text => {
  expect(valuesOf(`${JSON.stringify(text)},9007199254740993,${JSON.stringify(text)}`)).toEqual([
    text,
    { digits: '9007199254740993' },
    text,
  ])
})

test('reads a long text with long numbers in it in little time', () => {
  const text = '"\\9007199254740993'.repeat(100_000)
  expect(valuesOf(`1,${JSON.stringify(text)}`)![1] === text).toBe(true)
})
