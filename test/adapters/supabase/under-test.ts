/** One server for a test file, buckets of their own, and a `fetch` that records and disturbs. */
import { afterAll, beforeAll } from 'vitest'
import { type SupabaseOptions, supabase } from '../../../src/adapters/supabase/index.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import {
  type SupabaseBucketOptions,
  type SupabaseUnderTest,
  supabaseUnderTest,
} from '../../support/supabase.ts'

export interface Sent {
  readonly method: string
  /** Behind `/storage/v1`. */
  readonly path: string
  readonly headers: Headers
  readonly body: unknown
}

/** `lose` lets the request through and breaks the connection before the answer. */
export type Disturbance = (sent: Sent) => 'lose' | 'break' | Response | undefined

/** The options beside the credentials, which may be given one by one. */
type Changes = {
  [Name in
    | 'key'
    | 'fetch'
    | 'keyEncoding'
    | 'resumableThresholdBytes'
    | 'chunkSizeBytes'
    | 'requestTimeoutMs'
    | 'url']?: SupabaseOptions[Name]
}

export interface Recorded {
  readonly files: StorageProvider
  readonly sent: Sent[]
}

let made = 0

export function underTest() {
  let server: SupabaseUnderTest
  beforeAll(async () => {
    server = await supabaseUnderTest()
  })
  afterAll(() => server.stop())
  return {
    get server() {
      return server
    },
    async bucket(options?: SupabaseBucketOptions): Promise<string> {
      const name = `adapter-${Date.now().toString(36)}-${process.pid}-${made++}`
      await server.createBucket(name, options)
      return name
    },
    open(bucket: string, options: Changes = {}): StorageProvider {
      const { url, serviceKey: key } = server
      return supabase({ bucket, url, key, ...options } as SupabaseOptions)
    },
    recorded(bucket: string, options: Changes = {}, disturb?: Disturbance): Recorded {
      const sent: Sent[] = []
      return { files: this.open(bucket, { fetch: recordingFetch(sent, disturb), ...options }), sent }
    },
    /** Names in the bucket, those that lists hide included. */
    async names(bucket: string): Promise<string[]> {
      const answer = await call(server, 'POST', `/object/list-v2/${bucket}`, { prefix: '', limit: 1000 })
      return ((await answer.json()) as { objects: { name: string }[] }).objects.map(({ name }) => name)
    },
    /** Stores an object as other programs do. */
    put: (bucket: string, name: string, text: string, headers: Record<string, string> = {}) =>
      call(server, 'PUT', `/object/${bucket}/${name}`, text, headers),
  }
}

async function call(
  { url, serviceKey }: SupabaseUnderTest,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const text = typeof body === 'string'
  const response = await fetch(`${url}/storage/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${serviceKey}`,
      'content-type': text ? 'text/plain' : 'application/json',
      ...headers,
    },
    body: text ? body : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}

function recordingFetch(sent: Sent[], disturb: Disturbance = () => undefined): typeof fetch {
  return async (input, init = {}) => {
    const request: Sent = {
      method: init.method ?? 'GET',
      path: String(input).replace(/^.*?\/storage\/v1/, ''),
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : init.body,
    }
    sent.push(request)
    const fate = disturb(request)
    if (fate instanceof Response) return fate
    if (fate === 'break') throw broken()
    const response = await fetch(input, init)
    if (fate !== 'lose') return response
    await response.arrayBuffer()
    throw broken()
  }
}

function broken(): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) })
}

/** Gives `bytes` in pieces, and then fails where `error` is given. */
export async function* pieces(bytes: Uint8Array, size: number, error?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  if (error !== undefined) throw error
}
