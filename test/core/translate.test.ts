import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { codeOfStatus, retryAfterMs, toStorageError } from '../../src/core/translate.ts'

const context = {
  operation: 'info',
  provider: 'test',
  key: 'k',
  signal: undefined,
  translate: () => undefined,
}
const NOW = Date.UTC(2026, 0, 1)

describe('naming errors', () => {
  it.each([
    ['ECONNREFUSED', 'unavailable', true],
    ['ENOTFOUND', 'unavailable', true],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', true],
    ['ENOSPC', 'unavailable', false],
    ['EACCES', 'permission-denied', false],
  ])('names %s, however deep it lies', (code, named, retryable) => {
    const system = Object.assign(new Error('low'), { code })
    for (const thrown of [
      system,
      new TypeError('fetch failed', { cause: system }),
      new AggregateError([system]),
    ]) {
      expect(toStorageError(thrown, context)).toMatchObject({
        code: named,
        retryable,
        operation: 'info',
        key: 'k',
        provider: 'test',
      })
    }
  })

  it('keeps an error that is one already, and adds where it happened', () => {
    const complete = new StorageError('not-found', 'x', { operation: 'copy' })
    expect(toStorageError(complete, context)).toBe(complete)
    expect(toStorageError(new StorageError('not-found', 'nothing there'), context)).toMatchObject({
      message: 'info: nothing there',
      key: 'k',
      operation: 'info',
    })
  })

  it('lets the vendor table go first and the unknown be internal', () => {
    const translate = () => ({ code: 'rate-limited', status: 429, retryAfterMs: 5, requestId: 'r1' }) as const
    expect(toStorageError(new Error('slow'), { ...context, translate })).toMatchObject({
      code: 'rate-limited',
      status: 429,
      retryAfterMs: 5,
      requestId: 'r1',
      retryable: true,
    })
    for (const thrown of [new Error('odd'), 'text', undefined, null, {}])
      expect(toStorageError(thrown, context).code).toBe('internal')
  })

  it('tells a timeout from an abort', () => {
    expect(toStorageError(new Error('x'), { ...context, signal: AbortSignal.abort() }).code).toBe('aborted')
    const timedOut = AbortSignal.abort(new DOMException('late', 'TimeoutError'))
    expect(toStorageError(new Error('x'), { ...context, signal: timedOut }).code).toBe('timeout')
  })

  it.each([
    [401, 'unauthenticated'],
    [403, 'permission-denied'],
    [404, 'not-found'],
    [412, 'precondition-failed'],
    [413, 'too-large'],
    [429, 'rate-limited'],
    [500, 'unavailable'],
    [503, 'unavailable'],
    [599, 'unavailable'],
    [302, 'internal'],
  ])('knows status %i', (status, code) => expect(codeOfStatus(status)).toBe(code))

  it.each([
    ['2', 2000],
    ['0', 0],
    [new Date(NOW + 3000).toUTCString(), 3000],
    [new Date(NOW - 3000).toUTCString(), 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads Retry-After %s', (header, expected) => expect(retryAfterMs(header, NOW)).toBe(expected))

  it('does not take what every object inherits for a code', () => {
    const odd = Object.assign(new Error('odd'), { code: 'constructor' })
    expect(toStorageError(odd, context)).toMatchObject({ code: 'internal', message: 'info: odd' })
  })
})
