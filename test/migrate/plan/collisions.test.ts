import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { KeyRules } from '../../../src/core/keys.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import { hasCode } from '../../support/has-code.ts'
import { type PlanSetting, planSetting } from './plan-setting.ts'

const KEPT: readonly string[] = ['a/1', 'a/2', 'b/1', 'b/3', 'c/4']

async function setUp(keys: readonly string[], options: Partial<MigrateOptions>): Promise<PlanSetting> {
  const from = memory()
  for (const key of keys) await from.upload(key, key)
  return planSetting({ from, ...options })
}

/** Memory that holds fewer keys. */
function holding(rules: Partial<KeyRules>, more: { maxObjectBytes?: number } = {}): StorageProvider {
  const inner = memory()
  return forward(inner, {
    get capabilities() {
      return { ...inner.capabilities, keys: { ...inner.capabilities.keys, ...rules }, ...more }
    },
  })
}

const lastPart = (key: string) => key.split('/').at(-1)!

describe('keys that meet at the destination', () => {
  it('are all refused, and told', async () => {
    const setting = await setUp(KEPT, { keys: lastPart })
    const { refusals, toCopy } = await setting.plan()
    expect(refusals).toMatchObject({ total: 2, byReason: { collision: 2 } })
    expect(refusals.first).toEqual([
      { reason: 'collision', sourceKey: 'a/1', destinationKey: '1', message: '"b/1" goes to "1", too' },
      { reason: 'collision', sourceKey: 'b/1', destinationKey: '1', message: '"a/1" goes to "1", too' },
    ])
    expect(toCopy.objects).toBe(3)
    const before = await setting.rows()
    await setting.plan()
    expect(await setting.rows()).toEqual(before)
  })

  it('are refused once and for all of very many, without holding them', async () => {
    const keys = Array.from({ length: 2100 }, (_, i) => `k${i}`)
    const setting = await setUp(keys, { keys: () => 'one' })
    const { refusals } = await setting.plan()
    expect(refusals).toMatchObject({ total: 2100, byReason: { collision: 2100 } })
    expect(refusals.first).toHaveLength(100)
  })

  it('are planned again once they meet no more', async () => {
    const setting = await setUp(KEPT, { keys: lastPart })
    await setting.plan()
    await setting.from.delete('b/1')
    expect((await setting.plan()).refusals.total).toBe(0)
    expect((await setting.states())['a/1']).toBe('planned')
    expect(await setting.manifest.row('a/1')).not.toHaveProperty('errorCode')
  })

  it('leave a copy that is there, and refuse who comes later', async () => {
    const setting = await setUp(['a/1', 'c/4'], { keys: lastPart })
    await setting.plan()
    await setting.copy()
    await setting.from.upload('0/1', 'later, and before it in order')
    await setting.plan()
    expect(await setting.states()).toEqual({ '0/1': 'refused', 'a/1': 'copied', 'c/4': 'copied' })
  })

  it('are found where only the conversion has changed, and where one has come back', async () => {
    const setting = await setUp(['a/1', 'b/1'], {})
    await setting.plan()
    expect((await setting.plan({ keys: lastPart })).refusals.total).toBe(2)
    await setting.from.delete('a/1')
    await setting.plan({ keys: lastPart })
    expect((await setting.states())['b/1']).toBe('planned')
    await setting.from.upload('a/1', 'a/1')
    const { refusals, since } = await setting.plan({ keys: lastPart })
    expect([refusals.total, since.added]).toEqual([2, 1])
  })

  it('stay refused when their content changes', async () => {
    const setting = await setUp(KEPT, { keys: lastPart })
    await setting.plan()
    await setting.from.upload('a/1', 'anew')
    await setting.plan()
    expect(await setting.manifest.row('a/1')).toMatchObject({
      state: 'refused',
      errorCode: 'collision',
      size: 4,
    })
  })

  it('are found after a plan that was killed before it looked for them', async () => {
    const setting = await setUp(KEPT, { keys: lastPart })
    const [row] = await setting.rows()
    expect(row).toBeUndefined()
    for (const sourceKey of KEPT)
      await setting.manifest.write([
        { sourceKey, destinationKey: lastPart(sourceKey), state: 'planned', size: sourceKey.length },
      ])
    await setting.manifest.setSetting('planning', 'yes')
    expect((await setting.plan()).refusals.total).toBe(2)
  })

  it('meet by case where the destination does not tell it', async () => {
    const keys = ['A.jpg', 'a.jpg', 'b.jpg', 'Straße', 'STRASSE']
    const sensitive = await setUp(keys, {})
    expect((await sensitive.plan()).refusals.total).toBe(0)
    for (const options of [{ destinationIgnoresCase: true }, { to: holding({ caseSensitive: false }) }]) {
      const setting = await setUp(keys, options)
      const { refusals } = await setting.plan()
      expect(refusals.byReason).toMatchObject({ 'case-collision': 4, collision: 0 })
      expect(await setting.states()).toMatchObject({ 'b.jpg': 'planned' })
    }
  })

  it('meet by their Unicode form where the destination does not tell it', async () => {
    const setting = await setUp(['caf\u00e9', 'cafe\u0301', 'cafe'], {
      to: holding({ normalizationSensitive: false }),
    })
    expect((await setting.plan()).refusals.total).toBe(2)
  })

  it('meet as file and folder where the destination can not have both', async () => {
    const keys = ['a', 'a!', 'a-b/c', 'a/b', 'a/b/c', 'b/c', 'b0']
    const setting = await setUp(keys, { to: holding({ fileAndFolder: false }) })
    await setting.plan()
    expect(await setting.states()).toEqual({
      a: 'refused',
      'a!': 'planned',
      'a-b/c': 'planned',
      'a/b': 'refused',
      'a/b/c': 'refused',
      'b/c': 'planned',
      b0: 'planned',
    })
    await setting.from.delete('a')
    await setting.from.delete('a/b')
    await setting.plan()
    expect((await setting.states())['a/b/c']).toBe('planned')
  })
})

describe('keys that the destination can not hold', () => {
  it.each<[string, Partial<MigrateOptions>, string]>([
    ['too long', { to: holding({ maxBytes: 3 }) }, '"a/long" is 6 bytes long; at most 3 are allowed'],
    ['of other characters', { to: holding({ allowed: /^[\w/]+$/ }), keys: key => `${key}é` }, 'character'],
    ['empty', { keys: () => '' }, '"" must not be empty'],
    ['no keys at all', { keys: () => 7 as never }, 'keys returned a number; it must return a key'],
    ['promises', { keys: (async () => 'k') as never }, 'keys returned a promise'],
    ['ill-formed', { keys: key => `${key}\ud800` }, 'lone surrogate'],
    [
      'thrown for',
      {
        keys: () => {
          throw new Error('no such user')
        },
      },
      'keys threw for it: no such user',
    ],
    [
      'elsewhere',
      { keys: key => `x/${key}`, destinationPrefix: 'y/' },
      'does not begin with destinationPrefix',
    ],
  ])('are refused where they are %s', async (_, options, message) => {
    const setting = await setUp(['a/long'], options)
    const { refusals, toCopy } = await setting.plan()
    expect(refusals).toMatchObject({ total: 1, byReason: { 'invalid-key': 1 } })
    expect(refusals.first[0]!.message).toContain(message)
    expect(toCopy.objects).toBe(0)
  })

  it('hide nothing of the others, and are planned when the conversion is mended', async () => {
    const setting = await setUp(['a', 'b'], { keys: key => (key === 'a' ? '../a' : key) })
    await setting.plan()
    expect(await setting.states()).toEqual({ a: 'refused', b: 'planned' })
    await setting.plan({ keys: key => `c/${key}` })
    expect((await setting.rows()).map(({ destinationKey, state }) => [destinationKey, state])).toEqual([
      ['c/a', 'planned'],
      ['c/b', 'planned'],
    ])
  })

  it('are as large as it takes', async () => {
    const setting = await setUp(['a', 'abc'], { to: holding({}, { maxObjectBytes: 2 }) })
    expect((await setting.plan()).refusals.byReason['too-large']).toBe(1)
    expect(await setting.states()).toEqual({ a: 'planned', abc: 'refused' })
  })
})

describe('a conversion', () => {
  it('that answers by chance is refused', async () => {
    let calls = 0
    const setting = await setUp(['a', 'b'], { keys: key => `${key}${calls++}` })
    await expect(setting.plan()).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('that sends a copied object elsewhere is refused', async () => {
    const setting = await setUp(['a', 'b'], { keys: key => `x/${key}` })
    await setting.plan()
    await setting.copy()
    await expect(setting.plan({ keys: key => `y/${key}` })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(
        'keys now sends "a" to "y/a", and this migration has sent it to "x/a"',
      ),
    })
  })
})
