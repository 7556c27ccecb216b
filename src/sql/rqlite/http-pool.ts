/** Kept connections to the nodes of a cluster, and requests over them that tell whether they were ever sent. */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Exchange, type HttpAnswer, HttpConnection } from './http-connection.ts'
import type { Watched } from './node-watch.ts'
import type { Settings } from './options.ts'

export interface PoolRequest {
  /** `http://127.0.0.1:4001` */
  readonly node: string
  readonly method: 'GET' | 'POST'
  /** Path and flags. */
  readonly path: string
  readonly body?: string | undefined
  /** Milliseconds without a byte of the answer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Gets what gives the request up where its node is found frozen. */
  readonly watched?: Watched
  /** Without the user. */
  readonly anonymous?: boolean
}

/** A request without an answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** False where it was not sent: then it can't have done anything. */
  readonly sent: boolean

  constructor(node: string, problem: string, sent: boolean, cause?: unknown) {
    super(`${node} ${problem}`, { cause })
    this.sent = sent
  }
}

/** A request that waits for a connection. */
interface Pending {
  readonly text: string
  start(connection: HttpConnection): void
  fail(problem: string, cause?: Error): void
}

interface Node {
  readonly host: string
  readonly port: number
  readonly idle: HttpConnection[]
  readonly waiting: Set<Pending>
  /** Connections there are, with those that are being made. */
  open: number
  making: number
}

export class HttpPool {
  private readonly settings: Settings
  private readonly nodes = new Map<string, Node>()
  private readonly sockets = new Set<Socket>()
  private readonly onLost: (node: string) => void
  private closed = false

  /** `onLost` hears of connections that were ended by the other side: what was known of that node may be over. */
  constructor(settings: Settings, onLost: (node: string) => void) {
    this.settings = settings
    this.onLost = onLost
  }

  /** The whole answer. @throws `NoAnswer`, or the signal's reason */
  request(request: PoolRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const { node: name, timeoutMs, signal, watched } = request
      if (signal?.aborted) return reject(signal.reason)
      const node = this.node(name)
      let connection: HttpConnection | undefined
      const end = () => {
        clearTimeout(timer)
        node.waiting.delete(pending)
        signal?.removeEventListener('abort', onAbort)
      }
      const exchange: Exchange = {
        onBytes: () => {
          timer.refresh()
        },
        onAnswer: answer => {
          end()
          resolve(answer)
        },
        onFailure: (problem, cause) => {
          end()
          reject(new NoAnswer(name, problem, connection !== undefined, cause))
        },
      }
      const giveUp = (problem: string) => {
        if (connection === undefined) exchange.onFailure(problem)
        else connection.fail(problem)
      }
      const onAbort = () => {
        reject(signal!.reason)
        giveUp('was left')
      }
      const pending: Pending = {
        text: this.textOf(request, node),
        start: given => {
          connection = given
          given.send(pending.text, exchange)
        },
        fail: exchange.onFailure,
      }
      const timer = setTimeout(() => giveUp(`has not answered for ${timeoutMs} ms`), timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      if (watched !== undefined) watched.give = () => giveUp('is frozen: it answers nothing at all')
      this.start(name, node, pending)
    })
  }

  /** Whether the node says anything, over a connection of its own: the kept ones may all be waiting. */
  isAlive(name: string, withinMs: number): Promise<boolean> {
    return new Promise(resolve => {
      const node = this.node(name)
      const socket = this.connect(name, node, () =>
        socket.write(`GET /readyz?noleader HTTP/1.1\r\nhost: ${node.host}\r\nconnection: close\r\n\r\n`),
      )
      socket.setTimeout(withinMs, () => socket.destroy())
      socket.once('data', () => {
        resolve(true)
        socket.destroy()
      })
      socket.on('error', () => {})
      socket.once('close', () => resolve(false))
    })
  }

  close(): void {
    this.closed = true
    for (const socket of this.sockets) socket.destroy()
  }

  private start(name: string, node: Node, pending: Pending): void {
    const idle = node.idle.pop()
    if (idle === undefined) {
      node.waiting.add(pending)
      this.openWhereNeeded(name, node)
    } else {
      idle.socket.ref()
      pending.start(idle)
    }
  }

  private openWhereNeeded(name: string, node: Node): void {
    if (node.making < node.waiting.size && node.open < this.settings.maxConnections) this.open(name, node)
  }

  private open(name: string, node: Node): void {
    node.open++
    node.making++
    let connection: HttpConnection | undefined
    let cause: Error | undefined
    const socket = this.connect(name, node, () => {
      node.making--
      connection = new HttpConnection(socket, () => this.idle(node, connection!))
      this.idle(node, connection)
    })
    socket.once('error', error => {
      cause = error
    })
    socket.once('close', () => {
      node.open--
      if (connection === undefined) {
        node.making--
        // Whoever waits would wait for the same.
        for (const pending of node.waiting) pending.fail('can’t be reached', cause)
        return
      }
      const at = node.idle.indexOf(connection)
      if (at !== -1) node.idle.splice(at, 1)
      if (!this.closed) this.onLost(name)
      this.openWhereNeeded(name, node)
    })
  }

  private idle(node: Node, connection: HttpConnection): void {
    const [next] = node.waiting
    if (next === undefined) {
      // Nobody waits for anything: the process may end.
      connection.socket.unref()
      node.idle.push(connection)
    } else {
      node.waiting.delete(next)
      next.start(connection)
    }
  }

  private connect(name: string, { host, port }: Node, onConnected: () => void): Socket {
    const socket = name.startsWith('https:')
      ? connectTls({ host, port, ...this.tlsOptions(host) }, onConnected)
      : connectPlain({ host, port }, onConnected)
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
    return socket
  }

  private tlsOptions(host: string): object {
    const { servername, ...tls } = this.settings.tls
    // An address is no name to be asked for, but is checked against the certificate all the same.
    const isName = /[a-z]/i.test(host) && !host.includes(':')
    const name = servername ?? (isName ? host : undefined)
    return { ...tls, ALPNProtocols: ['http/1.1'], ...(name !== undefined && { servername: name }) }
  }

  private textOf({ method, path, body, anonymous }: PoolRequest, { host, port }: Node): string {
    const { authorization } = this.settings
    const user = authorization === undefined || anonymous ? '' : `authorization: ${authorization}\r\n`
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${host.includes(':') ? `[${host}]` : host}:${port}\r\n${user}`
    if (body === undefined) return `${head}\r\n`
    return `${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }

  private node(name: string): Node {
    const known = this.nodes.get(name)
    if (known !== undefined) return known
    const { hostname, port, protocol } = new URL(name)
    const node: Node = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      idle: [],
      waiting: new Set(),
      open: 0,
      making: 0,
    }
    this.nodes.set(name, node)
    return node
  }
}
