/**
 * HTTP/1.1 over one kept connection, a request at a time. `node:http` spends three times the processor time on requests
 * this small, more than all that is done with their answers.
 */
import type { Socket } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

/** A request under way: bytes of its answer come, then one of the others is called, once. */
export interface Exchange {
  onBytes(): void
  onAnswer(answer: HttpAnswer): void
  onFailure(problem: string, cause?: Error): void
}

interface Head {
  readonly status: number
  readonly location: string | undefined
  /** Bytes of the body; `chunked` or `close` where the head does not say. */
  readonly length: number | 'chunked' | 'close'
  readonly keeps: boolean
}

const HEAD_END = '\r\n\r\n'
const MAX_HEAD_BYTES = 64 * 1024
const NOTHING = Buffer.alloc(0)

export class HttpConnection {
  readonly socket: Socket
  /** False once it takes no further request. */
  usable = true
  private readonly onIdle: () => void
  private exchange: Exchange | undefined
  private head: Head | undefined
  private chunks: Buffer[] = []
  private size = 0
  private tail = NOTHING

  /** `onIdle` hears when an answer is complete and another request may follow. */
  constructor(socket: Socket, onIdle: () => void) {
    this.socket = socket
    this.onIdle = onIdle
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    socket.on('error', error => this.fail('can’t be reached', error))
    socket.on('end', () => this.ended())
    socket.on('close', () => this.fail('ended the connection'))
  }

  send(request: string, exchange: Exchange): void {
    this.exchange = exchange
    this.socket.write(request)
  }

  fail(problem: string, cause?: Error): void {
    this.usable = false
    const { exchange } = this
    this.exchange = undefined
    this.socket.destroy()
    exchange?.onFailure(problem, cause)
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.size += chunk.length
    this.exchange?.onBytes()
    if (this.exchange === undefined) this.fail('said something unasked')
    else if (this.head !== undefined || this.readHead()) this.takeBody(this.head!, chunk)
  }

  private takeBody({ length }: Head, chunk: Buffer): void {
    if (length === 'chunked') {
      this.tail = Buffer.concat([this.tail, chunk.subarray(-4)]).subarray(-4)
      if (this.tail.toString('latin1') === HEAD_END) this.tryChunks()
    } else if (length !== 'close' && this.size >= length) {
      if (this.size > length) this.fail('sent more than it announced')
      else this.complete(this.whole().toString('utf8'))
    }
  }

  /** Whether the head is there. What follows it stays in `chunks`. */
  private readHead(): boolean {
    for (;;) {
      const whole = this.whole()
      const end = whole.indexOf(HEAD_END)
      if (end === -1) {
        if (whole.length > MAX_HEAD_BYTES) this.fail('sent no HTTP')
        return false
      }
      const head = parseHead(whole.toString('latin1', 0, end + 2))
      if (head === undefined) {
        this.fail('sent no HTTP')
        return false
      }
      const rest = whole.subarray(end + 4)
      this.chunks = [rest]
      this.size = rest.length
      // 100 and the like come before the answer.
      if (head.status < 200) continue
      this.head = head
      return true
    }
  }

  private tryChunks(): void {
    const body = joinChunks(this.whole())
    if (body !== undefined) this.complete(body.toString('utf8'))
  }

  private ended(): void {
    if (this.head?.length === 'close') this.complete(this.whole().toString('utf8'))
    this.fail('ended the connection')
  }

  private complete(body: string): void {
    const { exchange, head } = this
    this.exchange = undefined
    this.head = undefined
    this.chunks = []
    this.size = 0
    this.tail = NOTHING
    if (!head!.keeps) this.usable = false
    exchange!.onAnswer({ status: head!.status, location: head!.location, body })
    if (this.usable) this.onIdle()
    else this.socket.destroy()
  }

  private whole(): Buffer {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)]
    return this.chunks[0]!
  }
}

function parseHead(head: string): Head | undefined {
  const status = /^HTTP\/1\.([01]) (\d{3})/.exec(head)
  if (status === null) return undefined
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1]
  const isChunked = /\r\ntransfer-encoding:[^\r]*\bchunked/i.test(head)
  const hasBody = status[2] !== '204' && status[2] !== '304'
  return {
    status: Number(status[2]),
    location: /\r\nlocation:([^\r]+)/i.exec(head)?.[1]?.trim(),
    length: !hasBody ? 0 : isChunked ? 'chunked' : length === undefined ? 'close' : Number(length),
    keeps: status[1] === '1' && !/\r\nconnection:[^\r]*\bclose\b/i.test(head),
  }
}

/** The body out of its chunks; undefined while the last of them is missing. */
function joinChunks(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (size === 0) return Buffer.concat(parts)
    if (!(line + 2 + size + 2 <= bytes.length)) return undefined
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
