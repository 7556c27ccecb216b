/** What every contender of the benches of records offers: one operation, and how many of them are under way at once. */
export interface RecordsContender {
  readonly atOnce: number
  readonly operate: Operate
}

/** `index` counts the operations of this process, through all its rounds. */
export type Operate = (index: number) => unknown
