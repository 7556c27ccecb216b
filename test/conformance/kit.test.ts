import { readFile } from 'node:fs/promises'
import { describe, expect, it, vi } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import {
  CASES,
  type ConformanceContext,
  ConformanceError,
  type ConformanceTest,
  conformance,
  RECORDS_CASES,
  type RecordsConformanceContext,
  recordsConformance,
} from '../../src/conformance/index.ts'
import { isStorageError } from '../../src/core/errors.ts'
import { refused } from '../support/refused.ts'
import { resumableMemory } from '../support/resumable-memory.ts'
import { CLAIM_MUTANTS } from './mutants/claims.ts'
import { CHANGE_MUTANTS, KEY_MUTANTS } from './mutants/keys-and-changes.ts'
import { LISTING_MUTANTS } from './mutants/listing.ts'
import { soundContext } from './mutants/mutant.ts'
import { PART_AND_VERSION_MUTANTS } from './mutants/parts-and-versions.ts'
import { READING_MUTANTS } from './mutants/reading.ts'
import { RECORDS_MUTANTS, soundRecords } from './mutants/records.ts'
import { RESUMABLE_MUTANTS } from './mutants/resumable.ts'
import { withParts, withStaging, withVersions } from './mutants/richer-memory.ts'
import { WRITING_MUTANTS } from './mutants/writing.ts'

const MUTANTS = [
  ...READING_MUTANTS,
  ...WRITING_MUTANTS,
  ...LISTING_MUTANTS,
  ...KEY_MUTANTS,
  ...CHANGE_MUTANTS,
  ...CLAIM_MUTANTS,
  ...PART_AND_VERSION_MUTANTS,
  ...RESUMABLE_MUTANTS,
]

function pick(tests: readonly ConformanceTest[], id: string): ConformanceTest {
  const found = tests.find(test => test.id === id)
  if (found === undefined) throw new Error(`there is no case '${id}'`)
  return found
}

describe('the cases', () => {
  const all = [...CASES, ...RECORDS_CASES]

  it.each([
    ['a provider', CASES, 1, 105],
    ['records', RECORDS_CASES, 106, 112],
  ] as const)('of %s cover their behaviours, each at least once and no other', (_, cases, first, last) => {
    const covered = [...new Set(cases.flatMap(item => item.covers))].sort((a, b) => a - b)
    expect(covered).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n))
  })

  it('have ids and titles of their own', () => {
    const ids = all.map(item => item.id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(all.map(item => item.title)).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*\/[a-z0-9]+(?:-[a-z0-9]+)*$/)
  })

  it('are called by their ids where the guide names one', async () => {
    const guide = await readFile(new URL('../../docs/testing-an-adapter.md', import.meta.url), 'utf8')
    const areas = new Set(all.map(item => item.id.split('/')[0]!))
    const named = [...guide.matchAll(/(?<![\w./-])([a-z-]+)\/[a-z0-9-]+(?![\w/-])/g)].filter(([, area]) =>
      areas.has(area!),
    )
    expect(named.length).toBeGreaterThan(2)
    for (const [id] of named) expect(all.map(item => item.id)).toContain(id)
  })
})

describe('conformance', () => {
  it.each<[unknown, RegExp]>([
    [undefined, /^conformance: options must be an object/],
    [{ create: memory }, /needs name and create/],
    [{ name: 'memory' }, /needs name and create/],
    [{ name: 'memory', create: memory, skp: {} }, /unknown option 'skp'; known are name, create/],
    [{ name: 'memory', create: memory() }, /create must be a function/],
    [{ name: 'memory', create: memory, fetch: true }, /fetch must be a function/],
    [{ name: 'memory', create: memory, skip: ['delete/missing-is-ok'] }, /skip must be an object/],
    [{ name: 'memory', create: memory, skip: { 'delete/missing-is-ok': true } }, /a reason for each id/],
    [{ name: 'memory', create: memory, partSizesBytes: 5 }, /partSizesBytes must be an array/],
    [{ name: 'memory', create: memory, partSizesBytes: ['5'] }, /partSizesBytes must be whole numbers/],
    [{ name: 'memory', create: memory, caseTimeoutMs: 0 }, /caseTimeoutMs must be above zero/],
  ])('refuses the context %o', (context, message) => {
    expect(() => conformance(context as ConformanceContext)).toThrow(refused(message))
  })

  it('refuses a skip of a case that does not exist', () => {
    expect(() =>
      conformance({ name: 'memory', create: () => memory(), skip: { 'delete/mising-is-ok': 'typo' } }),
    ).toThrow(refused(/delete\/mising-is-ok/))
  })

  it('fails a skip whose case would pass', async () => {
    const skip = { 'delete/missing-is-ok': 'memory can not do that' }
    const test = pick(conformance({ name: 'memory', create: () => memory(), skip }), 'delete/missing-is-ok')
    await expect(test.run()).rejects.toThrow(/memory passes delete\/missing-is-ok.*remove the skip/)
  })

  it('skips with its reason what is declared and would fail', async () => {
    const mutant = MUTANTS.find(({ title }) => title === 'fails to delete what is missing')!
    const skip = { 'delete/missing-is-ok': 'this one throws' }
    const tests = conformance({ ...soundContext(), ...mutant.context, skip })
    const runner = { skip: vi.fn() }
    const test = pick(tests, 'delete/missing-is-ok')
    expect(await test.run(runner)).toEqual({ status: 'skipped', reason: 'this one throws' })
    expect(runner.skip).toHaveBeenCalledWith('this one throws')
    expect(test.title).toMatch(/\[skipped: this one throws\]$/)
  })

  it('skips with its reason what the context gives nothing for', async () => {
    const test = pick(conformance({ name: 'memory', create: () => memory() }), 'info/missing-bucket')
    expect(test.skipped).toBe('the context gives no createMissingBucket')
    expect(await test.run()).toEqual({
      status: 'skipped',
      reason: 'the context gives no createMissingBucket',
    })
  })

  it('runs the other half of a case whose capability is declared missing', async () => {
    const test = pick(conformance({ name: 'memory', create: () => memory() }), 'signed-urls/lifetimes')
    expect(await test.run()).toEqual({ status: 'refused', missing: 'signedUrl:GET' })
  })

  it('names provider, case and key in what it throws', async () => {
    const mutant = MUTANTS.find(({ title }) => title === 'ignores case')!
    const test = pick(conformance({ ...soundContext(), ...mutant.context }), 'keys/case')
    await expect(test.run()).rejects.toThrow(/^memory fails keys\/case: .*file\.txt/)
  })

  it('ends a case that hangs', async () => {
    const create = () => new Promise<never>(() => {})
    const test = pick(conformance({ name: 'hangs', create, caseTimeoutMs: 20 }), 'read/whole')
    await expect(test.run()).rejects.toThrow(/hangs fails read\/whole: no end after 20 ms/)
  })

  it('closes every provider that it was given and leaves nothing in them', async () => {
    const files = memory()
    const close = vi.spyOn(files, 'close').mockResolvedValue()
    for (const id of ['list/delimiter', 'keys/lengths', 'write/one-key-at-once'])
      await pick(conformance({ name: 'memory', create: () => files }), id).run()
    expect(close).toHaveBeenCalledTimes(3)
    expect((await files.list().page()).items).toEqual([])
  })
})

describe('recordsConformance', () => {
  it.each<[unknown, RegExp]>([
    [{ ...soundRecords(), withRecords: undefined }, /needs name, withRecords, engine and store/],
    [{ ...soundRecords(), engine: {} }, /engine must be a function/],
    [{ ...soundRecords(), skip: {} }, /unknown option 'skip'; known are name, withRecords, engine/],
    [{ ...soundRecords(), caseTimeoutMs: 0 }, /caseTimeoutMs must be above zero/],
  ])('refuses the context %o', (context, message) => {
    expect(() => recordsConformance(context as RecordsConformanceContext)).toThrow(refused(message))
  })

  it('ends a case that hangs, and names what is tested and the case', async () => {
    const hanging = { ...soundRecords(), store: () => new Promise<never>(() => {}), caseTimeoutMs: 20 }
    await expect(pick(recordsConformance(hanging), 'records/tenants').run()).rejects.toThrow(
      /^records fails records\/tenants: no end after 20 ms/,
    )
  })

  it('has a mutant for each of its cases', () => {
    const caught = new Set(RECORDS_MUTANTS.flatMap(mutant => mutant.caughtBy))
    expect([...caught].sort()).toEqual(RECORDS_CASES.map(item => item.id).sort())
  })
})

describe('the kit passes what memory lacks', () => {
  const richer: [string, ConformanceContext, RegExp][] = [
    ['uploads in parts', { ...soundContext(), partSizesBytes: [4096], create: withParts }, /^unfinished\//],
    [
      'resumable uploads',
      { ...soundContext(), partSizesBytes: [4096], create: () => resumableMemory() },
      /^resumable\//,
    ],
    ['versions', { ...soundContext(), create: withVersions }, /^versions\//],
    ['uploads to finalize', withStaging(), /^signed-uploads\//],
  ]
  for (const [what, context, ids] of richer)
    for (const test of conformance(context).filter(({ id }) => ids.test(id)))
      it(`with ${what}: ${test.id}`, async () => {
        expect((await test.run()).status).not.toBe('skipped')
      })
})

describe('the kit catches a provider that', () => {
  const sound = new Map(conformance(soundContext()).map(test => [test.id, test]))
  for (const { title, caughtBy, context } of MUTANTS) {
    it(title, async () => {
      const tests = conformance({ ...soundContext(), ...context })
      for (const id of caughtBy) {
        expect(sound.has(id)).toBe(true)
        await expect(pick(tests, id).run(), id).rejects.toThrow(ConformanceError)
      }
    })
  }

  for (const { title, caughtBy, context } of RECORDS_MUTANTS) {
    it(`${title}, with records`, async () => {
      const tests = recordsConformance(context)
      for (const id of caughtBy) {
        const error: unknown = await pick(tests, id)
          .run()
          .catch(thrown => thrown)
        expect(error, id).toBeInstanceOf(ConformanceError)
        // A mistake of the case's own must not pass for a catch.
        const { cause } = error as ConformanceError
        expect(cause instanceof ConformanceError || isStorageError(cause), id).toBe(true)
      }
    })
  }

  it('is given in more than fifty ways', () => {
    expect(MUTANTS.length).toBeGreaterThan(50)
  })
})
