/** One request and its answer, with the few things every route does to them. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { failures, type StorageFailure } from './storage-failure.ts'

export interface Exchange {
  readonly method: string
  /** Below `/storage/v1`, as it came over the wire, without the query. */
  readonly path: string
  /** The whole request target. */
  readonly target: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly origin: string
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export function exchangeOf(req: IncomingMessage, res: ServerResponse, prefix: string): Exchange {
  const target = req.url ?? '/'
  const cut = target.indexOf('?')
  const path = (cut < 0 ? target : target.slice(0, cut)).slice(prefix.length)
  return {
    method: req.method ?? 'GET',
    path: path === '' ? '/' : path,
    target,
    query: new URLSearchParams(cut < 0 ? '' : target.slice(cut + 1)),
    headers: req.headers,
    origin: `http://${req.headers.host}${prefix}`,
    req,
    res,
  }
}

export function header(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

export const wantsUpsert = (exchange: Exchange): boolean => header(exchange, 'x-upsert') === 'true'

export async function readBytes(exchange: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of exchange.req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The body as Fastify hands it to a route with a JSON schema: parsed only when the content type says JSON. */
export async function readJson(exchange: Exchange): Promise<unknown> {
  const bytes = await readBytes(exchange)
  if (!header(exchange, 'content-type')?.startsWith('application/json')) return bytes.toString('utf8')
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw failures.notJson()
  }
}

/** A 204, a 304 and what the resumable protocol answers without text carry no Content-Length. */
export function sendHeaders(exchange: Exchange, status: number, headers: Record<string, string>): void {
  exchange.res.writeHead(status, headers).end()
}

export function sendBytes(
  exchange: Exchange,
  status: number,
  headers: Record<string, string>,
  body: Buffer | string,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  exchange.res.writeHead(status, { 'content-length': String(bytes.length), ...headers })
  if (exchange.method === 'HEAD') exchange.res.end()
  else exchange.res.end(bytes)
}

export function sendJson(
  exchange: Exchange,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  sendBytes(
    exchange,
    status,
    { 'content-type': 'application/json; charset=utf-8', ...headers },
    JSON.stringify(body),
  )
}

export function sendFailure(exchange: Exchange, failure: StorageFailure): void {
  sendJson(exchange, failure.body(), failure.httpStatus)
}
