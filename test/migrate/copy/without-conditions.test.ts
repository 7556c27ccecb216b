import { describe, expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrated, textsOf, twoSides } from './two-sides.ts'

/** A store that keeps no conditions, and another hand that writes to `a` there just before the source is read. */
async function sidesWithAnotherHand(isAnotherHandAt: (turn: number) => boolean) {
  const inner = memory()
  const to = forward(inner, {
    get capabilities() {
      return { ...inner.capabilities, createOnly: false, conditionalReplace: false }
    },
    upload(key, body, { ifNoneMatch, ifMatch, ...options } = {}) {
      if (ifNoneMatch !== undefined || ifMatch !== undefined) throw new Error('conditions are not kept here')
      return inner.upload(key, body, options)
    },
  })
  const sides = await twoSides({ a: 'ours', b: 'two' }, { to })
  let turn = 0
  const from = forward(sides.from, {
    async download(key, options) {
      if (key === 'a' && isAnotherHandAt(++turn)) await inner.upload('a', 'of another hand')
      return sides.from.download(key, options)
    },
  })
  return { ...sides, from }
}

describe('at a destination that keeps no conditions', () => {
  test('what has come since the plan is compared, not overwritten', async () => {
    const sides = await sidesWithAnotherHand(turn => turn === 1)
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ complete: false, copied: 1, refused: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'of another hand', b: 'two' })
  })

  test('a copy of ours that was overwritten since the plan is compared, not overwritten', async () => {
    const sides = await sidesWithAnotherHand(turn => turn === 2)
    expect((await migrated(sides)).result.complete).toBe(true)
    await sides.from.upload('a', 'changed')
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ complete: false, refused: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'of another hand', b: 'two' })
  })

  test('a copy of ours is replaced where the source has changed', async () => {
    const sides = await sidesWithAnotherHand(() => false)
    await migrated(sides)
    await sides.from.upload('a', 'changed')
    expect((await migrated(sides)).result).toMatchObject({ complete: true, copied: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'changed', b: 'two' })
  })
})
