import { createHash } from 'node:crypto'
import type { Operation } from './history.ts'

/** What one client did, and what it was told. Moments are counted in effects on store and database. */
export interface LogEntry {
  readonly client: string
  readonly operation: Operation
  /** What an upload or a signed upload brought. */
  readonly text: string | undefined
  /** The generation that it was to be done over, where it was conditional. */
  condition?: string
  readonly invoked: number
  /** Infinity while it has not returned, and where its client has ended. */
  returned: number
  outcome: LoggedOutcome
}

export type LoggedOutcome =
  | { readonly status: 'running' }
  | { readonly status: 'done'; readonly value: unknown }
  | { readonly status: 'failed'; readonly code: string; readonly message: string }

/** What readers may see from one moment on. */
export interface Snapshot {
  readonly at: number
  readonly live: ReadonlyMap<string, { readonly generation: string; readonly checksum: string }>
  /** Hidden files: the operation that deletes them, by key. */
  readonly hidden: ReadonlyMap<string, string>
  readonly rows: ReadonlySet<string>
}

export interface HistoryLog {
  readonly entries: LogEntry[]
  readonly snapshots: Snapshot[]
  /** Names of the calls that failed. */
  readonly faults: string[]
  /** What was found wrong outside of what was logged: by the inventory at the end, or by an alarm. */
  readonly problems: string[]
}

/** What could be seen at some moment of a span. */
export function between({ snapshots }: HistoryLog, from: number, to: number): Snapshot[] {
  const first = snapshots.findLastIndex(({ at }) => at <= from)
  return snapshots.filter(({ at }, index) => index >= first && at <= to)
}

export function name({ client, operation, outcome }: LogEntry): string {
  const said = outcome.status === 'failed' ? `failed: ${outcome.code}` : outcome.status
  return `${client} ${JSON.stringify(operation)} (${said})`
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
