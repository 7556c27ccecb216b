/** Switches for what goes wrong in production; all are off at the start and may be turned at any time. */
export interface Faults {
  /** The blob store refuses connections: rows are still readable. */
  storeDown: boolean
  /** PostgreSQL is gone: everything but `/status` fails. */
  databaseDown: boolean
  /** PostgreSQL has no connection left. */
  databaseSaturated: boolean
  /** `bucket/key` whose advisory lock another transaction holds: uploads onto it time out. */
  lockedObjects: Set<string>
  /** `bucket/key` whose row another transaction holds: a DELETE waits until it is told how the wait ended. */
  lockedRows: Map<string, Promise<'released' | 'timed-out'>>
  /** Runs between the duplicate check of an upload or a copy and its commit, where two writers may overtake each other. */
  beforeCommit?: ((key: string) => Promise<void>) | undefined
  /**
   * Decides the fate of each request: `drop` cuts the connection before the server acts, `drop-answer` after it
   * acted, an object is the answer instead of the server's own.
   */
  onRequest?:
    | ((request: {
        method: string
        path: string
        headers: NodeJS.Dict<string | string[]>
      }) => Fate | Promise<Fate>)
    | undefined
}

export type Fate =
  | 'serve'
  | 'drop'
  | 'drop-answer'
  | { status: number; body: unknown; headers?: Record<string, string> }

export function noFaults(): Faults {
  return {
    storeDown: false,
    databaseDown: false,
    databaseSaturated: false,
    lockedObjects: new Set(),
    lockedRows: new Map(),
  }
}
