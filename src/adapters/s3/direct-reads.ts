import { DirectSocket, type SocketServer } from './direct-socket.ts'
import type { Endpoint } from './endpoint.ts'
import type { S3Settings } from './options.ts'
import type { HttpAnswer } from './transport.ts'

export interface DirectRequest {
  /** Path and query, encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

/** Less is as fast the ordinary way. */
const LEAST_BYTES = 512 * 1024
/** Bytes that would end a header or a request before its time. */
const UNSAFE = /[\r\n\0]/

/**
 * Reads ranges straight from sockets into memory that the caller has. Through an HTTP client each 64 KiB of a body are set
 * aside anew and copied twice, which costs more than all else that a large copy does but its checksum.
 */
export class DirectReads {
  readonly #server: SocketServer
  readonly #connections: number
  readonly #all = new Set<DirectSocket>()
  readonly #idle: DirectSocket[] = []
  /** The server answers in other forms. */
  #isOff = false

  private constructor(server: SocketServer, connections: number) {
    this.#server = server
    this.#connections = connections
  }

  /** Undefined where bytes are encrypted on their way. */
  static from(
    { protocol, hostname, port = 80 }: Endpoint,
    { connections, requestTimeoutMs }: Pick<S3Settings, 'connections' | 'requestTimeoutMs'>,
  ): DirectReads | undefined {
    if (protocol !== 'http:') return undefined
    // An address of IPv6 stands in brackets in URLs only.
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    return new DirectReads({ host, port, timeoutMs: requestTimeoutMs }, connections)
  }

  /**
   * Fills `memory` and answers with the head. Undefined where the server sends anything but just so many bytes of a range,
   * or the connection breaks: ask again in the ordinary way, which knows all answers. @throws the signal's reason; `ETIMEDOUT`
   */
  async read(request: DirectRequest, memory: Uint8Array): Promise<HttpAnswer | undefined> {
    if (this.#isOff || memory.length < LEAST_BYTES) return undefined
    const text = requestText(request)
    if (text === undefined) return undefined
    request.signal?.throwIfAborted()
    const socket = this.#idle.pop() ?? this.#open()
    if (socket === undefined) return undefined
    const outcome = await socket.read(text, memory, request.signal)
    if (socket.reusable) this.#idle.push(socket)
    if (outcome.kind === 'other') this.#isOff = true
    return outcome.kind === 'filled' ? { ...outcome.head, body: whole(memory) } : undefined
  }

  close(): void {
    for (const socket of this.#all) socket.destroy()
  }

  #open(): DirectSocket | undefined {
    if (this.#all.size >= this.#connections) return undefined
    const socket = new DirectSocket(this.#server, () => {
      this.#all.delete(socket)
      const at = this.#idle.indexOf(socket)
      if (at >= 0) this.#idle.splice(at, 1)
    })
    this.#all.add(socket)
    return socket
  }
}

function requestText({ path, headers }: DirectRequest): string | undefined {
  let text = `GET ${path} HTTP/1.1\r\nconnection: keep-alive\r\n`
  if (UNSAFE.test(path)) return undefined
  for (const [name, value] of Object.entries(headers)) {
    if (UNSAFE.test(value)) return undefined
    text += `${name}: ${value}\r\n`
  }
  return `${text}\r\n`
}

/** A body that has arrived. */
function whole(memory: Uint8Array): HttpAnswer['body'] {
  return {
    pausable: true,
    async *chunks() {
      yield memory
    },
    bytes: async () => memory,
    text: async () => Buffer.from(memory).toString('utf8'),
    cancel() {},
  }
}
