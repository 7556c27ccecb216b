import { AsyncLocalStorage } from 'node:async_hooks'
import * as api from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import {
  forward,
  type OpenTelemetryOptions,
  observe,
  openTelemetryObserver,
} from '../../src/decorators/index.ts'

interface Span {
  name: string
  kind: number | undefined
  parent: api.Span | undefined
  attributes: api.Attributes
  status?: api.SpanStatus
  ended: boolean
}

const spans: Span[] = []
const records: { name: string; unit: string | undefined; value: number; attributes: api.Attributes }[] = []

/** As little of an SDK as the API lets one register: what is recorded is kept in memory. */
const tracerProvider = {
  getTracer: () => ({
    startSpan(name: string, options: api.SpanOptions = {}, context = api.context.active()) {
      const seen: Span = {
        name,
        kind: options.kind,
        parent: api.trace.getSpan(context),
        attributes: { ...options.attributes },
        ended: false,
      }
      spans.push(seen)
      return {
        setAttributes: (more: api.Attributes) => void Object.assign(seen.attributes, more),
        setStatus(status: api.SpanStatus) {
          seen.status = status
        },
        end() {
          seen.ended = true
        },
      }
    },
  }),
} as unknown as api.TracerProvider

const meterProvider = {
  getMeter: () => ({
    createHistogram: (name: string, { unit }: api.MetricOptions = {}) => ({
      record: (value: number, attributes: api.Attributes) => records.push({ name, unit, value, attributes }),
    }),
  }),
} as unknown as api.MeterProvider

const storage = new AsyncLocalStorage<api.Context>()
const contextManager = {
  active: () => storage.getStore() ?? api.ROOT_CONTEXT,
  with: (context: api.Context, work: () => unknown) => storage.run(context, work),
  disable() {},
} as unknown as api.ContextManager

beforeEach(() => {
  spans.length = 0
  records.length = 0
  api.trace.setGlobalTracerProvider(tracerProvider)
  api.metrics.setGlobalMeterProvider(meterProvider)
  api.context.setGlobalContextManager(contextManager)
})
afterEach(() => {
  api.trace.disable()
  api.metrics.disable()
  api.context.disable()
})

function traced(inner = memory(), options?: OpenTelemetryOptions) {
  let now = 0
  return observe(inner, openTelemetryObserver(api, options), {
    now: () => {
      now += 250
      return now
    },
  })
}

describe('openTelemetryObserver', () => {
  it('makes a client span of every operation', async () => {
    await traced().upload('a.txt', 'hello')
    expect(spans).toEqual([
      {
        name: 'stowage upload',
        kind: api.SpanKind.CLIENT,
        parent: undefined,
        attributes: {
          'stowage.operation': 'upload',
          'stowage.provider': 'memory',
          'stowage.key': 'a.txt',
          'stowage.bytes_sent': 5,
        },
        ended: true,
      },
    ])
  })

  it('records the duration in seconds, without keys', async () => {
    await traced().upload('a.txt', 'hello')
    expect(records).toEqual([
      {
        name: 'stowage.operation.duration',
        unit: 's',
        value: 0.25,
        attributes: { 'stowage.operation': 'upload', 'stowage.provider': 'memory' },
      },
    ])
  })

  it('marks a failure by our code', async () => {
    await traced()
      .info('a.txt')
      .catch(() => {})
    expect(spans[0]).toMatchObject({
      attributes: { 'error.type': 'not-found' },
      status: { code: api.SpanStatusCode.ERROR },
    })
    expect(records[0]!.attributes).toMatchObject({ 'error.type': 'not-found' })
  })

  it('is the current span while the operation begins, and a child of the one around it', async () => {
    const store = memory()
    let within: unknown
    const files = traced(
      forward(store, {
        exists(key) {
          within = api.trace.getActiveSpan()
          return store.exists(key)
        },
      }),
    )
    const outer = { name: 'outer' } as unknown as api.Span
    await api.context.with(api.trace.setSpan(api.context.active(), outer), () => files.exists('a.txt'))
    expect(spans[0]!.parent).toBe(outer)
    expect(within).toHaveProperty('setAttributes')
  })

  it('ends the span of a download with its body', async () => {
    const files = traced()
    await files.upload('a.txt', 'hello')
    const download = await files.download('a.txt')
    expect(spans[1]!.ended).toBe(false)
    await download.text()
    expect(spans[1]).toMatchObject({ ended: true, attributes: { 'stowage.bytes_received': 5 } })
  })

  it('names no key where that is not wanted', async () => {
    const files = traced(memory(), { keys: false })
    await files.upload('private.txt', 'hello')
    await files.copy('private.txt', 'private/2.txt')
    await files.info('private/../x').catch(() => {})
    for await (const _ of files.list({ prefix: 'private' }));
    expect(JSON.stringify(spans)).not.toContain('private')
  })

  it('shows no signature', async () => {
    const signing = { baseUrl: 'https://example.org/files', secret: 'a-secret-of-some-length' }
    const store = memory({ signing })
    const failing = forward(store, {
      async info() {
        throw new StorageError('unavailable', 'GET https://example.org/a?X-Amz-Signature=abcdef0123 failed')
      },
    })
    const files = traced(failing)
    const { url } = await files.signedUrl('a.txt', { expiresIn: 60 })
    await files.info('a.txt').catch(() => {})
    const seen = JSON.stringify([spans, records])
    expect(seen).not.toContain(new URL(url).search.slice(1))
    expect(seen).not.toContain('abcdef0123')
  })
})
