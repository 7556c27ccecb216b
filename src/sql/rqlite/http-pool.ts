/**
 * Requests over kept connections. The global `fetch` takes about three times as long for requests this small, and it
 * does not tell whether a request that failed was ever sent.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Watched } from './node-watch.ts'
import type { Settings } from './options.ts'

export interface PoolRequest {
  /** `http://127.0.0.1:4001` */
  readonly node: string
  readonly method: 'GET' | 'POST'
  /** Path and flags. */
  readonly path: string
  readonly body?: string | Uint8Array | undefined
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Gets what gives the request up where its node is found frozen. */
  readonly watched?: Watched
  /** Without the user. */
  readonly anonymous?: boolean
}

export interface HttpAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

/** A request without an answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** False where it was not sent: then it can't have done anything. */
  readonly sent: boolean
  readonly code: string | undefined

  constructor(node: string, problem: string, sent: boolean, cause?: unknown) {
    super(`${node} ${problem}`, { cause })
    this.sent = sent
    this.code = (cause as { code?: string } | undefined)?.code
  }
}

/** Milliseconds in which a node that is alive says so. */
const PROBE_MS = 1000

export class HttpPool {
  private readonly agent: HttpAgent
  private readonly send: typeof httpRequest
  private readonly tls: object
  private readonly authorization: string | undefined
  private readonly targets = new Map<string, { hostname: string; port: string }>()
  private readonly watched = new WeakSet<Socket>()
  private readonly onLost: (node: string) => void
  private closed = false

  /** `onLost` hears of connections that were ended by the other side: what was known of that node may be over. */
  constructor(settings: Settings, onLost: (node: string) => void) {
    const { maxConnections, tls, urls } = settings
    const options = {
      keepAlive: true,
      maxSockets: maxConnections,
      maxFreeSockets: maxConnections,
      noDelay: true,
    }
    const secure = urls[0]!.startsWith('https:')
    this.agent = secure ? new HttpsAgent({ ...options, ...(tls as object) }) : new HttpAgent(options)
    this.send = secure ? httpsRequest : httpRequest
    this.authorization = settings.authorization
    this.tls = secure ? tls : {}
    this.onLost = onLost
  }

  /** The whole answer. @throws `NoAnswer`, or the signal's reason */
  request(request: PoolRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const { node, timeoutMs, signal } = request
      if (signal?.aborted) return reject(signal.reason)
      let connected = false
      const outgoing = this.begin(request, answer => {
        readText(answer).then(
          body => end(() => resolve({ status: answer.statusCode!, location: answer.headers.location, body })),
          cause => end(() => reject(new NoAnswer(node, 'broke off its answer', true, cause))),
        )
      })
      const fail = (problem: string, cause?: unknown) => {
        end(() => reject(new NoAnswer(node, problem, connected, cause)))
        outgoing.destroy()
      }
      const onAbort = () => {
        end(() => reject(signal!.reason))
        outgoing.destroy()
      }
      if (request.watched) request.watched.give = () => fail('is frozen: it answers nothing at all')
      const timer = setTimeout(() => fail(`has not answered for ${timeoutMs} ms`), timeoutMs)
      const end = (settle: () => void) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      outgoing.on('socket', socket => {
        this.watch(node, socket)
        if (socket.connecting) socket.once('connect', () => (connected = true))
        else connected = true
      })
      outgoing.on('error', cause => fail('can’t be reached', cause))
      signal?.addEventListener('abort', onAbort, { once: true })
      outgoing.end(request.body)
    })
  }

  /** The answer's head, its body to be read by the caller. Its time limit is one on silence. */
  stream(request: PoolRequest): Promise<IncomingMessage> {
    const { node, timeoutMs } = request
    return new Promise((resolve, reject) => {
      const outgoing = this.begin(request, resolve)
      outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`silent for ${timeoutMs} ms`)))
      outgoing.on('error', cause => reject(new NoAnswer(node, 'can’t be reached', true, cause)))
      outgoing.end(request.body)
    })
  }

  /** Whether the node says anything, over a connection of its own: the kept ones may all be waiting. */
  isAlive(node: string): Promise<boolean> {
    return new Promise(resolve => {
      const { hostname, port } = this.target(node)
      const path = '/readyz?noleader'
      const probe = this.send(
        { ...this.tls, agent: false, hostname, port, path, timeout: PROBE_MS },
        answer => {
          answer.resume()
          resolve(true)
        },
      )
      probe.on('timeout', () => probe.destroy())
      probe.on('close', () => resolve(false))
      probe.on('error', () => resolve(false))
      probe.end()
    })
  }

  close(): void {
    this.closed = true
    this.agent.destroy()
  }

  private begin(request: PoolRequest, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
    const { node, method, path, body } = request
    const { hostname, port } = this.target(node)
    const headers: Record<string, string | number> = {}
    if (body !== undefined) {
      headers['content-type'] = typeof body === 'string' ? 'application/json' : 'application/octet-stream'
      headers['content-length'] = Buffer.byteLength(body)
    }
    if (this.authorization !== undefined && !request.anonymous) headers.authorization = this.authorization
    return this.send({ agent: this.agent, hostname, port, method, path, headers }, onAnswer)
  }

  private watch(node: string, socket: Socket): void {
    if (this.watched.has(socket)) return
    this.watched.add(socket)
    socket.once('close', () => {
      if (!this.closed) this.onLost(node)
    })
  }

  private target(node: string): { hostname: string; port: string } {
    const known = this.targets.get(node)
    if (known !== undefined) return known
    const { hostname, port, protocol } = new URL(node)
    const target = {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port || (protocol === 'https:' ? '443' : '80'),
    }
    this.targets.set(node, target)
    return target
  }
}

async function readText(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () => {
      if (answer.complete)
        resolve((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8'))
    })
    answer.on('error', reject)
    // Ended before its length was reached.
    answer.on('close', () => reject(new Error('the connection ended within the answer')))
  })
}
