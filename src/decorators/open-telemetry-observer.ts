import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { Observer, OperationEvent, OperationStart } from './operation-events.ts'

/** The part of `@opentelemetry/api` that is used: hand the module over as it is. */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): OpenTelemetryTracer
    setSpan(context: never, span: never): unknown
  }
  readonly context: {
    active(): unknown
    with(context: never, work: () => void): unknown
  }
  readonly metrics: { getMeter(name: string): OpenTelemetryMeter }
}

type AttributeValues = Record<string, string | number>

interface OpenTelemetryTracer {
  startSpan(
    name: string,
    options: { kind: number; attributes: AttributeValues },
    context: never,
  ): OpenTelemetrySpan
}

interface OpenTelemetrySpan {
  setAttributes(attributes: AttributeValues): unknown
  setStatus(status: { code: number; message?: string }): unknown
  end(): void
}

interface OpenTelemetryMeter {
  createHistogram(
    name: string,
    options: { description: string; unit: string; advice: { explicitBucketBoundaries: number[] } },
  ): OpenTelemetryHistogram
}

interface OpenTelemetryHistogram {
  record(value: number, attributes: AttributeValues): void
}

export interface OpenTelemetryOptions {
  /** Whether spans name keys and prefixes. Default: true. Metrics never do. */
  keys?: boolean
}

/** `SpanKind.CLIENT` and `SpanStatusCode.ERROR`: numbers that the API's specification fixes. */
const CLIENT = 2
const ERROR = 2

/** Seconds: those of the semantic conventions for client operations. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * An observer that makes a span of every operation, current while the operation is begun so that the spans of an
 * HTTP client are its children, and records durations in the histogram `stowage.operation.duration` (seconds).
 * Attributes: `stowage.operation`, `stowage.provider`, `stowage.key`, `error.type` (our error codes), … Never a URL,
 * never an error's cause.
 *
 * @param api the module `@opentelemetry/api` (npm install @opentelemetry/api), set up by the application
 * @throws `invalid-argument` for what is not that module, and for an option it does not know
 * @example
 * ```ts
 * import * as api from '@opentelemetry/api'
 * const files = observe(s3(options), openTelemetryObserver(api))
 * ```
 */
export function openTelemetryObserver(api: OpenTelemetryApi, options: OpenTelemetryOptions = {}): Observer {
  assertApi(api)
  assertFactoryOptions('openTelemetryObserver', options, { keys: 'boolean' })
  const { keys = true } = options
  const tracer = api.trace.getTracer('stowage')
  let duration: OpenTelemetryHistogram | undefined
  // Made with the first operation: before the application has set up its metrics, the API gives one that is deaf.
  const histogram = () =>
    api.metrics.getMeter('stowage').createHistogram('stowage.operation.duration', {
      description: 'Duration of storage operations',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    })
  return {
    start(operation) {
      const context = api.context.active()
      const span = tracer.startSpan(
        `stowage ${operation.operation}`,
        { kind: CLIENT, attributes: startAttributes(operation, keys) },
        context as never,
      )
      return {
        within: work =>
          void api.context.with(api.trace.setSpan(context as never, span as never) as never, work),
        end(event) {
          span.setAttributes(endAttributes(event))
          if (event.outcome !== 'ok') span.setStatus({ code: ERROR, message: statusOf(event, keys) })
          span.end()
          duration ??= histogram()
          duration.record(event.durationMs / 1000, metricAttributes(event))
        },
      }
    },
  }
}

function assertApi(api: OpenTelemetryApi): void {
  const { trace, context, metrics }: Partial<OpenTelemetryApi> = api ?? {}
  const used = [trace?.getTracer, trace?.setSpan, context?.active, context?.with, metrics?.getMeter]
  if (used.every(one => typeof one === 'function')) return
  throw new StorageError(
    'invalid-argument',
    "openTelemetryObserver: needs the module: import * as api from '@opentelemetry/api'",
  )
}

function startAttributes(
  { operation, provider, key, to, prefix }: OperationStart,
  keys: boolean,
): AttributeValues {
  const names = keys ? { 'stowage.key': key, 'stowage.destination': to, 'stowage.prefix': prefix } : {}
  return present({ 'stowage.operation': operation, 'stowage.provider': provider, ...names })
}

function endAttributes(event: OperationEvent): AttributeValues {
  return present({
    'stowage.bytes_sent': event.bytesSent,
    'stowage.bytes_received': event.bytesReceived,
    'stowage.count': event.count,
    'stowage.failed': event.failed,
    'error.type': event.outcome === 'ok' ? undefined : event.outcome,
    'http.response.status_code': event.error?.status,
    'stowage.request_id': event.error?.requestId,
  })
}

/** Messages name keys. */
function statusOf({ error, outcome }: OperationEvent, keys: boolean): string {
  return keys && error !== undefined ? error.message : outcome
}

/** Few values each: a metric makes a series of every combination. */
function metricAttributes({ operation, provider, outcome }: OperationEvent): AttributeValues {
  return present({
    'stowage.operation': operation,
    'stowage.provider': provider,
    'error.type': outcome === 'ok' ? undefined : outcome,
  })
}

function present(attributes: Record<string, string | number | undefined>): AttributeValues {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  )
}
