/** Finds the leader and reaches it: addresses in turn, redirects, discovery, and a node that has frozen. */
import { StorageError } from '../../core/errors.ts'
import { failure, NotNow, statusError } from './failures.ts'
import type { HttpAnswer } from './http-connection.ts'
import { HttpPool, NoAnswer } from './http-pool.ts'
import { NodeWatch } from './node-watch.ts'
import type { Settings } from './options.ts'

export interface Call {
  /** Of ours: `batch`, `query`, … */
  readonly operation: string
  readonly path: string
  readonly body: string
  /** `leader`: whoever leads. `nearest`: the first that answers. */
  readonly to: 'leader' | 'nearest'
  readonly signal?: AbortSignal | undefined
}

export interface Reply {
  /** The node that answered. */
  readonly node: string
  readonly text: string
}

const MAX_HOPS = 4
const FIRST_BACKOFF_MS = 25
const MAX_BACKOFF_MS = 400
/** In which a node that is alive says so. */
const PROBE_MS = 1000
const MIB = 1024 * 1024

export class Cluster {
  private readonly settings: Settings
  readonly pool: HttpPool
  private readonly watch: NodeWatch
  private readonly onLost: (node: string) => void
  private leader: string | undefined
  private found: readonly string[] = []
  private turn = 0
  private discovering: Promise<void> | undefined
  private discovered = false

  /** `onLost` hears of nodes that could not be reached, or ended a connection: they may start again. */
  constructor(settings: Settings, onLost: (node: string) => void) {
    this.settings = settings
    this.onLost = onLost
    this.pool = new HttpPool(settings, onLost)
    this.watch = new NodeWatch(node => this.pool.isAlive(node, PROBE_MS))
  }

  /** All known addresses, the configured ones first. */
  get nodes(): readonly string[] {
    return [...this.settings.urls, ...this.found.filter(node => !this.settings.urls.includes(node))]
  }

  /**
   * Sends once, following redirects. @throws `NoAnswer`, `NotNow`, `Unknown`, or a `StorageError` that no other node
   * would spare; the signal's reason
   */
  async ask(call: Call): Promise<Reply> {
    let node = call.to === 'leader' ? (this.leader ?? this.next()) : this.nearest()
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const answer = await this.request(node, call)
      if (answer.status === 200) {
        this.answered(node, call)
        return { node, text: answer.body }
      }
      if (answer.status < 300 || answer.status > 399) throw await this.refusal(node, call, answer)
      node = this.leaderNamedBy(node, answer, call)
    }
    throw new NotNow('the nodes send from one to the other; the cluster may be electing a leader')
  }

  /** How long to wait before try number `attempt`, from 1. */
  backoffMs(attempt: number): number {
    const most = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempt - 1, 10))
    return most * (0.5 + this.settings.random() / 2)
  }

  async close(): Promise<void> {
    this.watch.close()
    this.pool.close()
    await this.discovering
  }

  private async request(node: string, call: Call): Promise<HttpAnswer> {
    const { path, body, signal } = call
    const timeoutMs = this.settings.timeoutMs + Math.floor((body.length / MIB) * 1000)
    const watched = this.watch.begin(node)
    let silent = false
    try {
      return await this.pool.request({ node, method: 'POST', path, body, timeoutMs, signal, watched })
    } catch (error) {
      silent = error instanceof NoAnswer
      if (silent) this.failed(node)
      throw error
    } finally {
      this.watch.end(node, watched, !silent)
    }
  }

  private answered(node: string, call: Call): void {
    if (call.to === 'leader') this.leader = node
    if (!this.discovered) this.discover(node)
  }

  private failed(node: string): void {
    if (this.leader === node) this.leader = undefined
    if (this.nodes[this.turn % this.nodes.length] === node) this.turn++
    // Who leads now may know addresses that have come since.
    this.discovered = false
    this.onLost(node)
  }

  private next(): string {
    const { nodes } = this
    return nodes[this.turn++ % nodes.length]!
  }

  private nearest(): string {
    const { nodes } = this
    return nodes.find(node => !this.watch.suspects(node)) ?? this.next()
  }

  /** @throws `NotNow` where the leader that a node still believes in has just been found dead */
  private leaderNamedBy(node: string, { location = '', status }: HttpAnswer, call: Call): string {
    if (!URL.canParse(location))
      throw failure('internal', call.operation, `${node} redirects to nowhere`, { status })
    const { origin, protocol } = new URL(location)
    if (protocol !== new URL(node).protocol) {
      throw failure(
        'unavailable',
        call.operation,
        `${node} names a leader of another protocol, ${origin}; give all nodes of the cluster the same`,
        { retryable: false },
      )
    }
    this.leader = undefined
    if (this.watch.suspects(origin)) throw new NotNow(`${node} still takes ${origin} for the leader`)
    return origin
  }

  private async refusal(node: string, call: Call, answer: HttpAnswer): Promise<Error> {
    const { status, body } = answer
    if (status === 401) return this.unauthenticated(node, call)
    const error = statusError(call.operation, status, body)
    if (!(error instanceof StorageError)) {
      this.leader = undefined
    }
    return error
  }

  /** 401 also means a missing permission. It is one where another endpoint lets the same user in, and nobody else. */
  private async unauthenticated(node: string, { operation, path }: Call): Promise<StorageError> {
    const other = path.startsWith('/db/query') ? '/db/execute' : '/db/query?level=none'
    const body = path.startsWith('/db/query') ? '[]' : '["SELECT 1"]'
    const knock = (anonymous: boolean) =>
      this.pool
        .request({ node, method: 'POST', path: other, body, timeoutMs: this.settings.timeoutMs, anonymous })
        .then(answer => answer.status !== 401)
        .catch(() => false)
    if (this.settings.authorization !== undefined && (await knock(false)) && !(await knock(true))) {
      const permission = /^\/db\/(\w+)/.exec(path)?.[1]
      return failure('permission-denied', operation, `the user lacks rqlite's permission '${permission}'`, {
        status: 401,
      })
    }
    return failure(
      'unauthenticated',
      operation,
      this.settings.authorization === undefined
        ? 'rqlite asks for a user and a password; give them as auth: { username, password }'
        : 'rqlite refuses this user: a wrong name or password, or a permission is missing',
      { status: 401 },
    )
  }

  /** Learns the other nodes' addresses. Fails silently: it needs the permission `status`, and is a comfort only. */
  private discover(node: string): void {
    this.discovered = true
    this.discovering ??= this.pool
      .request({ node, method: 'GET', path: '/nodes?ver=2&timeout=1s', timeoutMs: this.settings.timeoutMs })
      .then(({ status, body }) => {
        if (status === 200) this.found = addressesIn(body, new URL(node).protocol)
      })
      .catch(() => {})
      .finally(() => {
        this.discovering = undefined
      })
  }
}

function addressesIn(body: string, protocol: string): string[] {
  const { nodes = [] } = JSON.parse(body) as { nodes?: { api_addr?: string }[] }
  return nodes
    .map(({ api_addr }) => api_addr ?? '')
    .filter(address => URL.canParse(address) && new URL(address).protocol === protocol)
    .map(address => new URL(address).origin)
}
