import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

const engine = sqlite({ path: ':memory:' })
const invalidator = { name: 'none', invalidate: async () => [], close: async () => {} }

test.each<[string, object, RegExp]>([
  ['a misspelt option', { replaceGrace: 1 }, /unknown option 'replaceGrace'; known are tenant, root/],
  ['a time that is none', { leaseMs: -1 }, /leaseMs must be a number of at least 0/],
  [
    'a time without an end',
    { restoreMs: Number.POSITIVE_INFINITY },
    /restoreMs must be a number of at least 0/,
  ],
  [
    'a misspelt pause',
    { backoffMs: { frist: 1 } },
    /backoffMs: unknown option 'frist'; known are first, most/,
  ],
  ['a pause that is none', { backoffMs: { first: Number.NaN } }, /firstBackoffMs must be a number/],
  ['a CDN without an invalidator', { cdn: {} }, /invalidator must be one, such as cloudflare\(\)/],
  ['what is no invalidator', { cdn: { invalidator: {} } }, /invalidator must be one/],
  ['a misspelt option of the CDN', { cdn: { invalidator, settleMs: 1 } }, /cdn: unknown option 'settleMs'/],
  ['a settling time that is none', { cdn: { invalidator, settlingMs: -1 } }, /cdn: settlingMs must be/],
  ['a tenant that is none', { tenant: 'A' }, /a tenant's id is lower-case letters and digits/],
])('refuses %s, and says what there is', (_, options, message) => {
  const made = () => withRecords(memory(), engine, { env: {}, ...options })
  expect(made).toThrow(message)
  expect(made).toThrow(StorageError)
})

test('refuses what is no provider, and what is no engine', () => {
  expect(() => withRecords({} as never, engine)).toThrow(StorageError)
  expect(() => withRecords(memory(), {} as never)).toThrow(/must be an engine, such as sqlite\(\) returns/)
})
