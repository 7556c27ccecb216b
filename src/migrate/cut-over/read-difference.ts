/** What the two sides tell differently of one object. */
export interface ReadDifference {
  readonly key: string
  /** `missing`: the destination has no such object. Else the first thing that differs. */
  readonly kind: 'missing' | 'size' | 'checksum' | 'content' | 'attributes'
  /** In words: what which side says. */
  readonly detail: string
  /** Milliseconds since 1970. */
  readonly at: number
}
