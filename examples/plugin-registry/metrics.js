import prometheus from 'prom-client'
import { countSignedUrls } from 'stowage/cache'

const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10]

/** What `GET /metrics` tells: requests, what the store was asked, how often a URL was in the cache. */
export class Metrics {
  #registry = new prometheus.Registry()
  #signed
  #requests
  #operations

  constructor() {
    const registers = [this.#registry]
    this.#signed = new prometheus.Counter({
      name: 'signed_url',
      help: 'Signed URLs that were asked for: hit in the cache, miss and signed, error of the cache',
      labelNames: ['outcome'],
      registers,
    })
    // What has not happened yet is shown as 0.
    for (const outcome of ['hit', 'miss', 'error']) this.#signed.inc({ outcome }, 0)
    this.#requests = new prometheus.Histogram({
      name: 'http_request_seconds',
      help: 'Requests by route and status',
      labelNames: ['route', 'status'],
      buckets: SECONDS,
      registers,
    })
    this.#operations = new prometheus.Histogram({
      name: 'storage_operation_seconds',
      help: 'What was asked of the store, and of the cache before it, by operation and outcome',
      labelNames: ['operation', 'outcome'],
      buckets: SECONDS,
      registers,
    })
  }

  /** As `observe` calls it. */
  countOperation(event) {
    countSignedUrls(event, (_, outcome, count) => this.#signed.inc({ outcome }, count))
    this.#operations.observe({ operation: event.operation, outcome: event.outcome }, event.durationMs / 1000)
  }

  countRequest(route, status, milliseconds) {
    this.#requests.observe({ route, status }, milliseconds / 1000)
  }

  get contentType() {
    return this.#registry.contentType
  }

  text() {
    return this.#registry.metrics()
  }
}
