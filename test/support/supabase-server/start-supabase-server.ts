/**
 * A stand-in for Supabase Storage: its HTTP API, resumable protocol and S3 endpoint over memory.
 *
 * It is held to what a real server answered (`test/fixtures/supabase.json`, played by
 * `test/supabase-recordings.test.ts`), which it never reads.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Faults, noFaults } from './faults.ts'
import { exchangeOf, sendJson } from './http-exchange.ts'
import { type Claims, signToken } from './json-web-token.ts'
import { route } from './router.ts'
import type { Policy } from './row-policies.ts'
import { S3_CREDENTIALS } from './s3-credentials.ts'
import { StorageState } from './storage-state.ts'

export interface SupabaseServerOptions {
  /** Milliseconds since 1970; tokens and uploads expire by it. Defaults to the system's clock. */
  now?: () => number
  /** What holds the bytes behind the server: decides ETags, ranges and which keys are refused. Defaults to `s3`. */
  blobStore?: 's3' | 'file'
  /** Largest size a plain upload may declare, in bytes. Defaults to 50 MiB. */
  standardLimitBytes?: number
  /** Largest resumable upload, in bytes. Defaults to 500 MiB. */
  resumableLimitBytes?: number
}

export interface SupabaseServer {
  /** Without `/storage/v1`, as `createClient` takes it. */
  url: string
  serviceKey: string
  anonKey: string
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string }
  /** Switches that may be turned while the server runs. */
  faults: Faults
  /** A key with these claims, signed as the server's own keys are. */
  signKey(claims: Claims): string
  /** Lets a role other than the service role at the rows of a bucket. */
  addPolicy(policy: Policy): void
  stop(): Promise<void>
}

const PREFIX = '/storage/v1'
const JWT_SECRET = 'a-secret-of-the-stand-in-and-of-nothing-else'
const LONG_AGO = 1641769200
const FAR_AHEAD = 4102444800

export async function startSupabaseServer(options: SupabaseServerOptions = {}): Promise<SupabaseServer> {
  const faults = noFaults()
  const state = new StorageState(
    options.now ?? Date.now,
    JWT_SECRET,
    options.blobStore ?? 's3',
    {
      standardBytes: options.standardLimitBytes ?? 52_428_800,
      resumableBytes: options.resumableLimitBytes ?? 524_288_000,
    },
    faults,
  )
  const server = createServer({ keepAliveTimeout: 1000 }, (req, res) => {
    handle(state, req, res).catch((error: unknown) => {
      if (res.headersSent || req.destroyed) return res.destroy()
      res.writeHead(500, { 'content-type': 'text/plain' }).end(`stand-in failed: ${String(error)}`)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const key = (role: string) =>
    signToken({ iss: 'supabase', role, iat: LONG_AGO, exp: FAR_AHEAD }, JWT_SECRET)
  return {
    url,
    serviceKey: key('service_role'),
    anonKey: key('anon'),
    s3: { endpoint: `${url}${PREFIX}/s3`, ...S3_CREDENTIALS },
    faults,
    signKey: claims => signToken(claims, JWT_SECRET, { alg: 'HS256', typ: 'JWT' }),
    addPolicy: policy => void state.policies.push(policy),
    stop: () =>
      new Promise((resolve, reject) => {
        server.close(error => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

async function handle(state: StorageState, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (!req.url?.startsWith(PREFIX)) {
    res.writeHead(404).end()
    return
  }
  res.setHeader('access-control-allow-origin', '*')
  const exchange = exchangeOf(req, res, PREFIX)
  const { method, path, headers } = exchange
  const fate = (await state.faults.onRequest?.({ method, path, headers })) ?? 'serve'
  if (fate === 'drop') return void req.socket.destroy()
  if (fate === 'drop-answer') {
    res.writeHead = (() => res) as typeof res.writeHead
    res.end = (() => {
      req.socket.destroy()
      return res
    }) as typeof res.end
  } else if (fate !== 'serve') return sendJson(exchange, fate.body, fate.status, fate.headers)
  await route(state, exchange)
}
