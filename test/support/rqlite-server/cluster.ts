/**
 * Raft without its network: one log, nodes that have applied a part of it, and who leads. Nothing happens by time;
 * what time does on a real cluster is done by `settle`, `elect`, `stepDown` and `applyLate`.
 */
import type { Applied, ClusterNode, LogEntry } from './cluster-node.ts'
import type { Faults } from './faults.ts'
import { BatchFailure } from './run-statements.ts'

/** The node does not lead; `?redirect` and forwarding begin here. */
export class NotLeader extends Error {}
/** The node knows of no leader. */
export class NoLeader extends Error {
  constructor() {
    super('leader not found')
  }
}

export class Cluster {
  readonly log: LogEntry[] = []
  /** The one that a majority follows, while it is reachable. */
  private current: ClusterNode | undefined
  private readonly waiting = new Map<ClusterNode, (() => void)[]>()
  private late: LogEntry[] = []

  constructor(
    readonly nodes: readonly ClusterNode[],
    readonly faults: Faults,
  ) {
    this.elect()
  }

  /** A running node that leads a majority. */
  get leader(): ClusterNode | undefined {
    return this.current && this.isRunning(this.current) && this.hasMajority ? this.current : undefined
  }

  /**
   * Makes a node lead: `wanted`, else the one with entries that nobody else has, else the first that runs. Without a
   * majority nobody leads.
   */
  elect(wanted?: ClusterNode): void {
    const running = this.nodes.filter(node => this.isRunning(node))
    if (!this.hasMajority) {
      for (const node of running) if (node.leader && !this.isRunning(node.leader)) node.leader = undefined
      return
    }
    const longest = running.find(node => node.tail.entries.length > 0 && node.tail.base === this.log.length)
    const winner = wanted ?? longest ?? running[0]
    if (!winner || !this.isRunning(winner)) throw new Error('only a running node can lead')
    if (winner === longest) this.log.push(...winner.tail.entries)
    this.log.push({ kind: 'election' })
    this.current = winner
    for (const node of running) this.follow(node, winner)
    winner.applyUpTo(this.log, this.log.length)
    this.replicate()
  }

  /** The node gets `entry` into the log, which it must believe to lead. @throws BatchFailure, NotLeader */
  async propose(node: ClusterNode, entry: LogEntry): Promise<{ applied: Applied; index: number }> {
    if (!node.believesToLead) throw new NotLeader()
    if (node !== this.leader) {
      if (node.tail.base !== this.log.length) node.tail = { base: this.log.length, entries: [] }
      // What an old leader appends behind a log that went on without it is cut off again.
      const isKept = node === this.current
      if (isKept) node.tail.entries.push(entry)
      await this.lostMajority(node)
      throw new BatchFailure(LEADERSHIP_LOST)
    }
    const fate = this.faults.loseLeadership
    if (fate !== undefined && entry.kind !== 'query') {
      this.faults.loseLeadership = undefined
      if (fate === 'applied') this.commit(node, entry)
      this.elect(this.nodes.find(other => other !== node && this.isRunning(other)))
      throw new BatchFailure(LEADERSHIP_LOST)
    }
    return this.commit(node, entry)
  }

  /** Resolves where the node leads a majority. @throws NotLeader */
  async verify(node: ClusterNode): Promise<void> {
    if (!node.believesToLead) throw new NotLeader()
    if (node === this.leader) return
    await this.lostMajority(node)
    throw new NotLeader()
  }

  /** For a leader that can't reach a majority: it learns so, and what waited for the others fails. */
  stepDown(node: ClusterNode): void {
    const { current } = this
    if (current && current !== node && this.isRunning(current)) {
      this.follow(node, current)
      if (this.faults.replication !== 'held') node.applyUpTo(this.log, this.log.length)
    } else if (node !== this.leader) {
      node.leader = undefined
      if (current === node) this.current = undefined
    }
    for (const wake of this.waiting.get(node) ?? []) wake()
    this.waiting.delete(node)
  }

  /** How many requests wait for a majority. */
  waitingFor(node: ClusterNode): number {
    return this.waiting.get(node)?.length ?? 0
  }

  /** What a real cluster reaches by itself after a moment: a leader, known by all, and all entries everywhere. */
  settle(): void {
    for (const node of this.nodes)
      if (this.isRunning(node) && node.believesToLead && node !== this.leader) this.stepDown(node)
    if (!this.leader) this.elect()
    for (const node of this.nodes) if (this.isRunning(node)) node.applyUpTo(this.log, this.log.length)
  }

  /** Keeps writes that a follower gave up on. */
  keepLate(entry: LogEntry, times: number): void {
    for (let count = 0; count < times; count += 1) this.late.push(entry)
  }

  applyLate(): void {
    const { leader } = this
    if (!leader) throw new NoLeader()
    for (const entry of this.late.splice(0)) this.commit(leader, entry)
  }

  /** The node went down or stands still. */
  lost(node: ClusterNode): void {
    if (node !== this.current) return
    const isUnnoticed = this.faults.elections === 'unnoticed'
    if (node.state === 'killed' || !isUnnoticed) this.current = undefined
    if (isUnnoticed) return
    for (const other of this.nodes) if (other !== node && other.leader === node) other.leader = undefined
    if (this.faults.elections === 'at-once' && this.hasMajority) this.elect()
  }

  /** The node runs again. */
  found(node: ClusterNode): void {
    const isOld = node.believesToLead && this.current !== node
    if (isOld && this.faults.resumedLeader === 'answers') return
    const { leader } = this
    if (leader && leader !== node) this.follow(node, leader)
    else if (!leader && this.faults.elections === 'at-once') this.elect()
    if (this.leader && this.faults.replication !== 'held') node.applyUpTo(this.log, this.log.length)
  }

  isRunning(node: ClusterNode): boolean {
    return node.state === 'running'
  }

  private get hasMajority(): boolean {
    return this.nodes.filter(node => this.isRunning(node)).length * 2 > this.nodes.length
  }

  private follow(node: ClusterNode, leader: ClusterNode): void {
    node.leader = leader
    node.tail = { base: this.log.length, entries: [] }
  }

  private commit(leader: ClusterNode, entry: LogEntry): { applied: Applied; index: number } {
    this.log.push(entry)
    const index = this.log.length
    const applied = leader.applyUpTo(this.log, index)
    if (!applied) throw new Error('the leader was ahead of the log')
    this.replicate()
    return { applied, index }
  }

  private replicate(): void {
    if (this.faults.replication === 'held') return
    const count = this.log.length - (this.faults.replication === 'next-entry' ? 1 : 0)
    for (const node of this.nodes) if (this.isRunning(node)) node.applyUpTo(this.log, count)
  }

  private async lostMajority(node: ClusterNode): Promise<void> {
    if (!this.faults.holdStepDown) return this.stepDown(node)
    await new Promise<void>(resolve => {
      this.waiting.set(node, [...(this.waiting.get(node) ?? []), resolve])
    })
  }
}

const LEADERSHIP_LOST = 'leadership lost while committing log'
