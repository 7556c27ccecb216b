import * as api from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import {
  type FaultOptions,
  faults,
  forward,
  type LimitOptions,
  limit,
  mirror,
  type Observer,
  type OpenTelemetryApi,
  type OpenTelemetryOptions,
  observe,
  openTelemetryObserver,
  prefix,
  type RetryOptions,
  readOnly,
  retry,
  type TimeoutOptions,
  timeout,
} from '../../src/decorators/index.ts'
import { refused } from '../support/refused.ts'

describe.each([
  ['retry', (inner: never) => retry(inner)],
  ['timeout', (inner: never) => timeout(inner, { timeoutMs: 1 })],
  ['limit', (inner: never) => limit(inner, { concurrency: 1 })],
  ['observe', (inner: never) => observe(inner, () => {})],
  ['prefix', (inner: never) => prefix(inner, 'a/')],
  ['readOnly', (inner: never) => readOnly(inner)],
  ['faults', (inner: never) => faults(inner, { seed: 1 })],
  ['mirror', (inner: never) => mirror(inner, memory(), { onFailure: () => {} })],
  ['forward', (inner: never) => forward(inner)],
])('%s', (name, wrap) => {
  it.each([[undefined], [null], ['memory:'], [5], [{}], [memory]])('refuses to wrap %o', inner => {
    expect(() => wrap(inner as never)).toThrow(
      refused(new RegExp(`^${name}: the first argument must be a provider`)),
    )
  })

  it('says so where a promise of a provider was not awaited', () => {
    expect(() => wrap(Promise.resolve(memory()) as never)).toThrow(refused(/await the promise first/))
  })
})

const BAD_RETRY: [unknown, RegExp][] = [
  [null, /must be an object/],
  [{ attempst: 3 }, /^retry: unknown option 'attempst'; known are attempts, minDelayMs/],
  [{ attempts: '3' }, /attempts must be a number/],
  [{ attempts: 0 }, /attempts must be a whole number/],
  [{ minDelayMs: Number.NaN }, /minDelayMs must be a number/],
  [{ random: 0.5 }, /random must be a function/],
  [{ sleep: 5 }, /sleep must be a function/],
  [{ onRetry: {} }, /onRetry must be a function/],
]

const BAD_TIMEOUT: [unknown, RegExp][] = [
  [undefined, /must be an object/],
  [{}, /timeoutMs must be a number/],
  [{ timeoutMS: 5 }, /^timeout: unknown option 'timeoutMS'/],
  [{ timeoutMs: '5' }, /timeoutMs must be a number/],
  [{ timeoutMs: 5, timer: 5 }, /timer must be a function/],
]

const BAD_LIMIT: [unknown, RegExp][] = [
  [undefined, /must be an object/],
  [{ concurency: 1 }, /^limit: unknown option 'concurency'/],
  [{ concurrency: 1.5 }, /concurrency must be a whole number/],
  [{ concurrency: 1, maxQueue: '9' }, /maxQueue must be a number/],
]

const BAD_FAULTS: [unknown, RegExp][] = [
  [undefined, /must be an object/],
  [{ seed: 1, rule: [] }, /^faults: unknown option 'rule'/],
  [{ seed: '1' }, /seed must be a number/],
  [{ seed: 1, rules: {} }, /rules must be an array/],
  [{ seed: 1, rules: [null] }, /must be an object/],
  [{ seed: 1, rules: [{ kind: 'before', operation: 'upload' }] }, /unknown option 'operation'/],
  [{ seed: 1, rules: [{ kind: 'before', operations: 'upload' }] }, /operations must be an array/],
  [{ seed: 1, rules: [{ kind: 'before', key: {} }] }, /key must be a string or a RegExp/],
  [{ seed: 1, rules: [{ kind: 'before', times: '1' }] }, /times must be a number/],
]

const BAD_OBSERVE: [unknown, RegExp][] = [
  [null, /must be an object/],
  [{ clock: Date.now }, /^observe: unknown option 'clock'/],
  [{ now: 5 }, /now must be a function/],
]

describe('options', () => {
  it.each(BAD_RETRY)('of retry: %o is refused', (options, message) => {
    expect(() => retry(memory(), options as RetryOptions)).toThrow(refused(message))
  })

  it.each(BAD_TIMEOUT)('of timeout: %o is refused', (options, message) => {
    expect(() => timeout(memory(), options as TimeoutOptions)).toThrow(refused(message))
  })

  it.each(BAD_LIMIT)('of limit: %o is refused', (options, message) => {
    expect(() => limit(memory(), options as LimitOptions)).toThrow(refused(message))
  })

  it.each(BAD_FAULTS)('of faults: %o is refused', (options, message) => {
    expect(() => faults(memory(), options as FaultOptions)).toThrow(refused(message))
  })

  it.each(BAD_OBSERVE)('of observe: %o is refused', (options, message) => {
    expect(() => observe(memory(), () => {}, options as object)).toThrow(refused(message))
  })

  it.each([[null], [{ key: false }], [{ keys: 'no' }]])(
    'of openTelemetryObserver: %o is refused',
    options => {
      expect(() => openTelemetryObserver(api, options as OpenTelemetryOptions)).toThrow(
        refused(/^openTelemetryObserver: /),
      )
    },
  )
})

describe('observers', () => {
  it.each([[undefined], [null], ['log'], [{}], [{ start: true }]])('%o is refused', observer => {
    expect(() => observe(memory(), observer as unknown as Observer)).toThrow(
      refused(/^observe: the observer must be a function or an object with a method start$/),
    )
  })

  it.each([[undefined], [null], [{}], [{ trace: api.trace }], [{ ...api, metrics: {} }]])(
    'openTelemetryObserver refuses an API that is none (%#)',
    given => {
      expect(() => openTelemetryObserver(given as unknown as OpenTelemetryApi)).toThrow(
        refused(/import \* as api from '@opentelemetry\/api'/),
      )
    },
  )
})
