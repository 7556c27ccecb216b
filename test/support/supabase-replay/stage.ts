/** The stand-in with the clock of the recordings, and what plays need to reach it. */
import { randomUUID } from 'node:crypto'
import { type SupabaseServer, startSupabaseServer } from '../supabase-server/start-supabase-server.ts'
import { Volatile } from './volatile.ts'
import { bodyBytes, send } from './wire.ts'

/** The user whose folder a policy of the recorded server opened. */
export const USER = '317eadce-631a-4429-a0bb-f19a7a517b4a'

/** Odd, and moved by two at each look: no time of the stand-in is a whole second by chance. */
const START = Date.parse('2026-11-23T12:34:06.801Z')

export interface Stage {
  url: string
  server: SupabaseServer
  volatile: Volatile
  serviceHeaders: Record<string, string>
  /** Moves the stand-in's clock on. */
  passTime(ms: number): void
  /** A request as the service role, for what the recordings leave out. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
}

export interface Answered {
  status: number
  headers: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs by route
  body: any
}

export async function openStage(): Promise<Stage> {
  let clock = START
  const server = await startSupabaseServer({
    now: () => {
      clock += 2
      return clock
    },
  })
  const userKey = server.signKey({ role: 'authenticated', sub: USER, jti: randomUUID() })
  const serviceHeaders = { authorization: `Bearer ${server.serviceKey}`, apikey: server.serviceKey }
  return {
    url: server.url,
    server,
    serviceHeaders,
    volatile: new Volatile(
      { '<service-key>': server.serviceKey, '<anon-key>': server.anonKey, '<user-key>': userKey },
      server.signKey,
    ),
    passTime: ms => {
      clock += ms
    },
    ask: (method, path, body, headers = {}) => {
      const json = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)
      return send(server.url, {
        method,
        path: `/storage/v1${path}`,
        headers: { ...serviceHeaders, ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
        body: Buffer.isBuffer(body) ? body : bodyBytes(body),
      })
    },
  }
}
