/** supabase-js with an ear on what it sends and gets. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import type { WireAnswer } from './recordings.ts'
import type { Stage } from './stage.ts'

export type StorageClient = SupabaseClient['storage']

export interface Heard {
  request: { method: string; path: string; headers: Record<string, string>; body: unknown }
  response: WireAnswer
}

/** Nothing listens on port 1. */
const NOWHERE = 'http://127.0.0.1:1'

// Node 20 has no WebSocket and the client refuses to start without one, though storage never uses it.
class NoSocket {}

export function supabaseClients(stage: Stage) {
  const heard: Heard[] = []
  const listening: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const body = await response.clone().arrayBuffer()
    heard.push({
      request: {
        method: init?.method ?? 'GET',
        path: String(input).slice(stage.url.length),
        headers: Object.fromEntries(new Headers(init?.headers)),
        body: await described(init?.body, new Headers(init?.headers).get('content-type')),
      },
      response: {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: answeredBody(Buffer.from(body).toString('utf8'), response.headers.get('content-type')),
      },
    })
    return response
  }
  const client = (url: string, key: string): StorageClient =>
    createClient(url, key, {
      global: { fetch: listening },
      realtime: { transport: NoSocket as never },
      auth: { persistSession: false, autoRefreshToken: false },
    }).storage
  return {
    heard,
    service: client(stage.url, stage.server.serviceKey),
    anon: client(stage.url, stage.server.anonKey),
    stranger: client(stage.url, 'bad.key.value'),
    nobody: client(NOWHERE, stage.server.serviceKey),
  }
}

function answeredBody(text: string, contentType: string | null): unknown {
  if (text === '') return null
  return contentType?.startsWith('application/json') ? JSON.parse(text) : text
}

async function described(body: unknown, contentType: string | null): Promise<unknown> {
  if (body === undefined || body === null) return null
  if (body instanceof ReadableStream) return { $type: 'ReadableStream' }
  if (body instanceof Uint8Array) return { $bytes: body.byteLength }
  if (body instanceof FormData)
    return {
      $multipart: [...body].map(([name, value]) => [
        name,
        typeof value === 'string' ? value : { file: value.name, type: value.type, size: value.size },
      ]),
    }
  return contentType?.startsWith('application/json') ? JSON.parse(String(body)) : String(body)
}

/** What a call gave, with what JSON can't hold described as in the recordings. */
export function describedResult(result: unknown): unknown {
  const { data, error } = result as { data: unknown; error?: Error | null }
  return { data: describedData(data), error: describedError(error ?? null) }
}

function describedData(data: unknown): unknown {
  if (data instanceof Blob) return { $blob: data.size, type: data.type }
  if (data instanceof ReadableStream) return 'ReadableStream'
  return data
}

function describedError(error: Error | null): unknown {
  if (!error) return error
  const { status, statusCode, originalError } = error as unknown as Record<string, unknown>
  return {
    name: error.name,
    message: error.message,
    ...(status === undefined ? {} : { status }),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(originalError === undefined ? {} : { originalError: String(originalError) }),
  }
}
