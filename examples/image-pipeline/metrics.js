import prometheus from 'prom-client'
import { countSignedUrls } from 'stowage/cache'

/** What `GET /metrics` tells: how often a URL was in the cache, what the store was asked, how long requests took. */
export class Metrics {
  #registry = new prometheus.Registry()
  #signed
  #requests
  #operations

  constructor() {
    const registers = [this.#registry]
    this.#signed = {
      signed_url: new prometheus.Counter({
        name: 'signed_url',
        help: 'Signed URLs that were asked for one by one: hit in the cache, miss and signed, error of the cache',
        labelNames: ['outcome'],
        registers,
      }),
      signed_url_batch: new prometheus.Counter({
        name: 'signed_url_batch',
        help: 'The same of URLs that were asked for many at once',
        labelNames: ['outcome'],
        registers,
      }),
    }
    // What has not happened yet is shown as 0.
    for (const counter of Object.values(this.#signed))
      for (const outcome of ['hit', 'miss', 'error']) counter.inc({ outcome }, 0)
    this.#requests = new prometheus.Histogram({
      name: 'http_request_seconds',
      help: 'Requests by route and status',
      labelNames: ['route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    })
    this.#operations = new prometheus.Histogram({
      name: 'storage_operation_seconds',
      help: 'What was asked of the store and of the cache before it, by operation and outcome',
      labelNames: ['operation', 'outcome'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    })
  }

  /** As `observe` calls it, around the cache. */
  countOperation(event) {
    countSignedUrls(event, (counter, outcome, count) => this.#signed[counter].inc({ outcome }, count))
    const { operation, outcome, durationMs } = event
    this.#operations.observe({ operation, outcome }, durationMs / 1000)
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
