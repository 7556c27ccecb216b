/** Switches for what goes wrong on a cluster; all are off at the start and may be turned at any time. */
export interface Faults {
  /**
   * When followers apply what the leader has committed. `next-entry` (default), as Raft does it without heartbeats: an
   * entry reaches them with the one after it, so a follower is stale right after every write. `held`: not at all.
   * `at-once`: with the answer. `settle()` of the cluster brings everybody up to date.
   */
  replication: 'next-entry' | 'at-once' | 'held'
  /**
   * What follows when the leader is killed or paused. `at-once` (default): another one leads. `leaderless`: the others
   * know that there is none until `elect()`. `unnoticed`: they go on to forward and redirect to it until `elect()`.
   */
  elections: 'at-once' | 'leaderless' | 'unnoticed'
  /**
   * What a follower does with a write that it forwards. `once` (default). `twice`: the leader was slow, so the follower
   * sent it again; the answer is 200 and both happened. `late`: it sends again, gives up and answers an error, and the
   * leader applies all of them in `applyLate()`.
   */
  forwardedWrites: 'once' | 'twice' | 'late'
  /** The next write is answered with `leadership lost while committing log`; `applied` or not, nobody tells. */
  loseLeadership: 'applied' | 'lost' | undefined
  /**
   * What a leader does that was paused while another one was elected. `learns` (default): it follows at once.
   * `answers`: weak reads come from its old state, until it tries to write or `settle()`.
   */
  resumedLeader: 'learns' | 'answers'
  /** A leader without a majority goes on to lead until `stepDown()`, and what needs the others waits that long. */
  holdStepDown: boolean
  /** Statements that run longer than any `db_timeout` that comes with them. */
  isSlow?: ((sql: string) => boolean) | undefined
  /**
   * Decides the fate of each request: `drop` cuts the connection before the node acts, `drop-answer` after it acted,
   * `hang` never answers, an object is the answer instead of the node's own. A promise delays it.
   */
  onRequest?: ((request: HeardRequest) => Fate | Promise<Fate>) | undefined
}

export interface HeardRequest {
  /** `node1` and so on. */
  node: string
  method: string
  /** With the query string. */
  target: string
  headers: NodeJS.Dict<string | string[]>
  body: Buffer
}

export type Fate =
  | 'serve'
  | 'drop'
  | 'drop-answer'
  | 'hang'
  | { status: number; body: string; headers?: Record<string, string> }

export function noFaults(): Faults {
  return {
    replication: 'next-entry',
    elections: 'at-once',
    forwardedWrites: 'once',
    loseLeadership: undefined,
    resumedLeader: 'learns',
    holdStepDown: false,
  }
}
