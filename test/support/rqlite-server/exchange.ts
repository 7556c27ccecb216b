/** One request to a node and its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import type { Credentials } from './credentials.ts'
import { indented } from './json-answer.ts'
import type { QueryFlags } from './query-flags.ts'

export interface Exchange {
  readonly cluster: Cluster
  readonly node: ClusterNode
  readonly credentials: Credentials | undefined
  readonly queue: { next(): bigint }
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly method: string
  readonly path: string
  /** The query string with its `?`, as it came. */
  readonly search: string
  readonly flags: QueryFlags
  readonly contentType: string
  readonly body: Buffer
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export const JSON_TYPE = 'application/json; charset=utf-8'

export function send(
  { res }: Exchange,
  status: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  res.writeHead(status, { ...headers, 'content-length': String(bytes.length) }).end(bytes)
}

/** As Go's `http.Error`: plain text with a line end. */
export function sendError(exchange: Exchange, status: number, message: string): void {
  send(exchange, status, `${message}\n`, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  })
}

export function sendJson(exchange: Exchange, json: string, headers: Record<string, string> = {}): void {
  const shown = exchange.flags.has('pretty') ? indented(json) : json
  send(exchange, 200, shown, { 'content-type': JSON_TYPE, ...headers })
}

/** True where the user may do all of `permissions` with this method; the refusal has been sent where not. */
export function admits(
  exchange: Exchange,
  permissions: readonly string[],
  methods: readonly string[],
  contentType = JSON_TYPE,
): boolean {
  const { credentials, req, method } = exchange
  const headers: Record<string, string> = contentType ? { 'content-type': contentType } : {}
  if (credentials && !credentials.allow(req.headers.authorization, permissions)) {
    send(exchange, 401, '', headers)
    return false
  }
  if (methods.includes(method)) return true
  send(exchange, 405, '', headers)
  return false
}
