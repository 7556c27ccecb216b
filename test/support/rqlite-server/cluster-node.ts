/** What one node of the cluster has and believes. */
import { NodeDatabase } from './node-database.ts'
import { type Batch, BatchFailure, type Result, runExecute, runQuery, runRequest } from './run-statements.ts'

export type LogEntry =
  | { kind: 'execute' | 'request' | 'query'; batch: Batch }
  | { kind: 'load'; file: Buffer }
  /** A new leader's first entry. */
  | { kind: 'election' }

/** What applying an entry gave: results, or the error that takes the place of all of them. */
export type Applied = { results: Result[] } | { error: string }

export class ClusterNode {
  readonly database: NodeDatabase
  state: 'running' | 'paused' | 'killed' = 'running'
  /** Whom it believes to lead. */
  leader: ClusterNode | undefined
  /** How many entries of the log it has applied. */
  applied = 0
  /** Entries that it appended as a leader without a majority, behind the first `base` of the log. */
  tail: { base: number; entries: LogEntry[] } = { base: 0, entries: [] }
  /** Resolves when it is no longer paused. */
  resumed: Promise<void> = Promise.resolve()
  resume = (): void => {}

  constructor(
    readonly id: string,
    /** `127.0.0.1:4001` */
    readonly address: string,
    readonly raftAddress: string,
    readonly url: string,
    foreignKeys: boolean,
  ) {
    this.database = new NodeDatabase(foreignKeys)
  }

  get believesToLead(): boolean {
    return this.leader === this
  }

  /** Applies the log up to `count` entries and tells what the last one gave. */
  applyUpTo(log: readonly LogEntry[], count: number): Applied | undefined {
    let applied: Applied | undefined
    for (; this.applied < count; this.applied += 1) {
      const entry = log[this.applied]
      if (entry) applied = this.apply(entry, this.applied + 1 === count)
    }
    return applied
  }

  /** Reads from what it has applied. @throws BatchFailure */
  read(batch: Batch): Result[] {
    return runQuery(this.database.reader, batch)
  }

  private apply(entry: LogEntry, isWanted: boolean): Applied {
    try {
      switch (entry.kind) {
        case 'execute':
          return { results: runExecute(this.database.writer, entry.batch) }
        case 'request':
          return { results: runRequest(this.database.writer, entry.batch) }
        case 'query':
          return { results: isWanted ? this.read(entry.batch) : [] }
        case 'load':
          this.database.load(entry.file)
          return { results: [] }
        case 'election':
          return { results: [] }
      }
    } catch (error) {
      if (error instanceof BatchFailure) return { error: error.message }
      throw error
    }
  }
}
