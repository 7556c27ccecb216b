import { describe, expect, test } from 'vitest'
import { allOf } from '../../src/cdn/index.ts'
import { type ErrorCode, StorageError } from '../../src/core/errors.ts'
import type { InvalidationTarget, Invalidator } from '../../src/core/invalidator.ts'
import { target } from '../support/cdn/vendor-stand-in.ts'

/** One that answers with these codes, target by target. */
function answering(name: string, ...codes: (ErrorCode | 'ok')[]) {
  const told: (readonly InvalidationTarget[])[] = []
  let closed = false
  const one: Invalidator = {
    name,
    async invalidate(targets) {
      told.push(targets)
      return codes.map(code =>
        code === 'ok' ? { ok: true } : { ok: false, error: new StorageError(code, `${name}: ${code}`) },
      )
    },
    async close() {
      closed = true
    },
  }
  return { one, told, isClosed: () => closed }
}

describe('allOf', () => {
  test('tells all, and is ok where all are', async () => {
    const inner = answering('inner', 'ok', 'ok')
    const outer = answering('outer', 'ok', 'not-found')
    const targets = [target('a'), target('b')]
    const both = allOf([inner.one, outer.one])
    expect(await both.invalidate(targets)).toMatchObject([
      { ok: true },
      { ok: false, error: { code: 'not-found' } },
    ])
    expect([inner.told, outer.told]).toEqual([[targets], [targets]])
    expect(both.name).toBe('inner+outer')
  })

  test('asks for another try as long as one may help', async () => {
    const both = allOf([answering('a', 'unauthenticated').one, answering('b', 'unavailable').one])
    expect(await both.invalidate([target('a')])).toMatchObject([
      { error: { code: 'unavailable', retryable: true } },
    ])
  })

  test('waits for all before it throws', async () => {
    let ended = false
    const slow = answering('slow', 'ok').one
    const failing: Invalidator = {
      ...slow,
      invalidate: () => Promise.reject(new StorageError('aborted', 'stopped')),
    }
    const late: Invalidator = {
      ...slow,
      async invalidate() {
        await new Promise(setImmediate)
        ended = true
        return [{ ok: true }]
      },
    }
    await expect(allOf([failing, late]).invalidate([target('a')])).rejects.toMatchObject({ code: 'aborted' })
    expect(ended).toBe(true)
  })

  test('takes a result that is missing for a failure', async () => {
    const [result] = await allOf([answering('short').one]).invalidate([target('a')])
    expect(result).toMatchObject({ ok: false, error: { code: 'internal' } })
  })

  test('closes all', async () => {
    const parts = [answering('a'), answering('b')]
    await allOf(parts.map(({ one }) => one)).close()
    expect(parts.every(part => part.isClosed())).toBe(true)
  })

  test.each([[[]], [undefined], [['cloudflare']]])('refuses %j', given => {
    expect(() => allOf(given as never)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })
})
