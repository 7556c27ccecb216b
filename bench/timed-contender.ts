/** What a contender of the timed benches offers: one operation, and how many of them are under way at once. */
export interface TimedContender {
  readonly atOnce: number
  readonly operate: Operate
  /** What one operation counts for, where it is too short for a look at the clock after each. Default: 1. */
  readonly counts?: number
}

/** `index` counts the operations of this process, through all its rounds. */
export type Operate = (index: number) => unknown
