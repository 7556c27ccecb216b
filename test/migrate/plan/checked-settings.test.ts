import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { readOnly } from '../../../src/decorators/read-only.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import { checkedSettings } from '../../../src/migrate/plan/checked-settings.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const manifest = sqlite({ path: ':memory:' })
const given = (options: object = {}) =>
  checkedSettings({ from: memory(), to: memory(), manifest, ...options } as MigrateOptions)

describe('the options of a migration', () => {
  it('have defaults', () => {
    const { limits, ...settings } = given()
    expect(settings).toMatchObject({
      name: 'default',
      sourcePrefix: '',
      destinationPrefix: '',
      destinationIgnoresCase: false,
      rules: '',
      existing: 'compare',
      verify: 'checksum',
    })
    expect(limits).toEqual({
      maxConcurrency: 256,
      bytesInFlight: 96 * 2 ** 20,
      largeObjectBytes: 32 * 2 ** 20,
      partBytes: 16 * 2 ** 20,
      attempts: 5,
    })
  })

  it('list at the destination what keys can become', () => {
    expect(given({ prefix: 'a/' }).destinationPrefix).toBe('a/')
    expect(given({ prefix: 'a/', keys: (key: string) => `b/${key}` }).destinationPrefix).toBe('')
    expect(given({ keys: (key: string) => `b/${key}`, destinationPrefix: 'b/' }).destinationPrefix).toBe('b/')
  })

  it.each<[string, object, string]>([
    ['an option that there is not', { form: memory() }, "unknown option 'form'"],
    ['what is no provider', { to: undefined }, 'to must be a provider; such as memory() returns'],
    [
      'a promise of one',
      { from: Promise.resolve(memory()) },
      'from must be a provider; await the promise first',
    ],
    ['a destination that is read-only', { to: readOnly(memory()) }, 'the destination is read-only'],
    ['what is no engine', { manifest: {} }, 'manifest must be an engine'],
    ['a word that there is not', { existing: 'replace' }, 'compare, overwrite, refuse'],
    ['a level that there is not', { verify: 'all' }, 'attributes, checksum, content'],
    ['a limit below 1', { limits: { partBytes: 0 } }, 'limits.partBytes must be a whole number above 0'],
    ['a rate that is none', { limits: { bytesPerSecond: Number.NaN } }, 'limits.bytesPerSecond'],
    ['a limit that there is not', { limits: { parts: 1 } }, "unknown option 'parts'"],
    ['an empty filter', { include: [''] }, 'include holds globs and regular expressions'],
    ['a size below 0', { minSizeBytes: -1 }, 'minSizeBytes'],
    ['a date that is none', { modifiedAfter: new Date(Number.NaN) }, 'modifiedAfter must be a Date'],
  ])('refuse %s', (_, options, message) => {
    expect(() => given(options)).toThrow(message)
  })

  it('refuse one place as source and destination, unless keys differ', () => {
    const store = memory()
    expect(() => given({ from: store, to: store })).toThrow('the same place')
    expect(() => given({ from: store, to: store, keys: (key: string) => `b/${key}` })).not.toThrow()
  })
})
