import { connect, type Socket } from 'node:net'

/** An answer's head is shorter. */
const HEAD_BYTES = 16 * 1024
/** An idle connection is closed before the server, whose limit nobody knows, closes it. */
const IDLE_MS = 4000

export interface SocketServer {
  readonly host: string
  readonly port: number
  /** Longest silence. */
  readonly timeoutMs: number
}

export interface Head {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** `other`: the server has answered, well, but with something else. */
export type Outcome = { readonly kind: 'filled'; readonly head: Head } | { readonly kind: 'other' | 'failed' }

interface Reading {
  readonly memory: Uint8Array
  /** Bytes of the body so far. */
  at: number
  head: Head | undefined
  end(outcome: Outcome): void
  fail(error: unknown): void
}

/** One connection, whose answers are read into their readers' memory, one after the other. */
export class DirectSocket {
  readonly #socket: Socket
  readonly #timeoutMs: number
  readonly #headBytes = Buffer.allocUnsafeSlow(HEAD_BYTES)
  #headLength = 0
  #reading: Reading | undefined
  #keepsAlive = true

  constructor(server: SocketServer, onClose: () => void) {
    this.#timeoutMs = server.timeoutMs
    this.#socket = connect({
      host: server.host,
      port: server.port,
      noDelay: true,
      onread: {
        buffer: () => this.#room(),
        callback: length => {
          this.#came(length)
          return true
        },
      },
    })
    // What went wrong the ordinary request will say.
    this.#socket.on('error', () => {})
    this.#socket.on('timeout', () => {
      this.#taken()?.fail(Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' }))
      this.destroy()
    })
    this.#socket.on('close', () => {
      this.#taken()?.end({ kind: 'failed' })
      onClose()
    })
  }

  get reusable(): boolean {
    return this.#keepsAlive && !this.#socket.destroyed && this.#reading === undefined
  }

  /** Sends `request` and fills `memory`. @throws the signal's reason; `ETIMEDOUT` */
  read(request: string, memory: Uint8Array, signal: AbortSignal | undefined): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#taken()?.fail(signal!.reason)
        this.destroy()
      }
      const over = () => signal?.removeEventListener('abort', onAbort)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#reading = {
        memory,
        at: 0,
        head: undefined,
        end(outcome) {
          over()
          resolve(outcome)
        },
        fail(error) {
          over()
          reject(error)
        },
      }
      this.#socket.ref()
      this.#socket.setTimeout(this.#timeoutMs)
      this.#socket.write(request, 'latin1')
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Where the next bytes go. */
  #room(): Uint8Array {
    const { head, memory, at } = this.#reading ?? {}
    return head === undefined ? this.#headBytes.subarray(this.#headLength) : memory!.subarray(at)
  }

  #came(length: number): void {
    const reading = this.#reading
    // Nobody has asked for anything.
    if (reading === undefined) {
      this.destroy()
      return
    }
    if (reading.head === undefined) this.#cameOfHead(reading, length)
    else reading.at += length
    if (reading.head !== undefined && reading.at === reading.memory.length) this.#filled(reading.head)
  }

  #cameOfHead(reading: Reading, length: number): void {
    const { memory } = reading
    this.#headLength += length
    const bytes = this.#headBytes.subarray(0, this.#headLength)
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0 && this.#headLength < HEAD_BYTES) return
    this.#headLength = 0
    const head = parseHead(bytes.toString('latin1', 0, Math.max(end, 0)))
    const first = bytes.subarray(end + 4)
    if (head === undefined || !isRangeOf(memory.length, head) || first.length > memory.length) {
      this.#taken()?.end({ kind: tellsForm(head) ? 'other' : 'failed' })
      this.destroy()
      return
    }
    memory.set(first)
    reading.at = first.length
    reading.head = head
    if (/\bclose\b/i.test(head.headers.connection ?? '')) this.#keepsAlive = false
  }

  #filled(head: Head): void {
    this.#socket.setTimeout(IDLE_MS)
    this.#socket.unref()
    this.#taken()?.end({ kind: 'filled', head })
    if (!this.#keepsAlive) this.destroy()
  }

  /** What is being read, from now on by nobody. */
  #taken(): Reading | undefined {
    const reading = this.#reading
    this.#reading = undefined
    return reading
  }
}

function isRangeOf(length: number, { status, headers }: Head): boolean {
  return (
    status === 206 &&
    headers['content-length'] === String(length) &&
    headers['transfer-encoding'] === undefined
  )
}

/** Whether an answer that can't be taken shows how the server writes all others: a refusal doesn't, and no range past the end. */
function tellsForm(head: Head | undefined): boolean {
  if (head === undefined) return true
  const isShorter = head.status === 206 && /^\d+$/.test(head.headers['content-length'] ?? '')
  return head.status < 300 && !isShorter
}

/** Undefined for what is not written plainly. */
function parseHead(text: string): Head | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1]
  if (status === undefined) return undefined
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    const known = name.toLowerCase()
    if (known === 'content-length' && headers[known] !== undefined) return undefined
    headers[known] ??= value
  }
  return { status: Number(status), headers }
}
