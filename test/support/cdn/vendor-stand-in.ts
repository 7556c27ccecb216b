import type { IncomingMessage } from 'node:http'
import { loopbackServer } from '../loopback-server.ts'

export interface VendorRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface VendorAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** What the request had purged, where it was taken. */
  readonly purged?: readonly string[]
}

/** What happens to a request instead: an answer without an effect, or an effect without an answer. */
export type Fault = VendorAnswer | 'cut after the effect' | 'no answer'

export interface VendorStandIn {
  readonly origin: string
  readonly requests: VendorRequest[]
  /** What was purged, in order, repetitions included. */
  readonly purged: string[]
  /** For the requests that come next, in order. */
  readonly faults: Fault[]
  close(): Promise<void>
}

/** A vendor's API on a loopback port: `serve` is written from its documents and refuses what they refuse. */
export async function vendorStandIn(serve: (request: VendorRequest) => VendorAnswer): Promise<VendorStandIn> {
  const server = await loopbackServer()
  const standIn = {
    origin: server.origin,
    requests: [] as VendorRequest[],
    purged: [] as string[],
    faults: [] as Fault[],
    close: () => server.close(),
  }
  server.use(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = incoming
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() }
    standIn.requests.push(request)
    const fault = standIn.faults.shift()
    const answer = typeof fault === 'object' ? fault : serve(request)
    standIn.purged.push(...(answer.purged ?? []))
    if (fault === 'cut after the effect') return void incoming.socket.destroy()
    if (fault === 'no answer') return
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  return standIn
}

/** A clock that moves only when somebody waits. */
export function standingClock(start = Date.UTC(2026, 10, 26)) {
  let at = start
  const waits: number[] = []
  return {
    now: () => at,
    sleep: async (ms: number) => {
      waits.push(ms)
      at += ms
    },
    /** Milliseconds of every wait so far. */
    waits,
    pass: (ms: number) => {
      at += ms
    },
  }
}

export type StandingClock = ReturnType<typeof standingClock>

export function target(
  key: string,
  more: { paths?: string[]; tags?: string[]; prefixes?: string[]; reference?: string } = {},
) {
  return { key, paths: [], tags: [], ...more }
}
