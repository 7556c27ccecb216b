/**
 * Why this client never reads older than its own writes. The state of a node's database only moves forward, so a node
 * that has acknowledged this client's latest write, or has since answered it linearizably, holds all its writes: from
 * that node a `weak` read, which the node answers from its own database as long as it believes to lead, is enough.
 * Whatever may have changed that (another leader, a lost connection, since the node may have started again and not
 * have caught up, an unknown outcome) makes the next reads linearizable, until one of them or a write is answered.
 * An answer counts only if nothing has changed since its request was sent: it may be that of a former leader.
 */
export class Session {
  private node: string | undefined
  private epoch = 0
  private fresh = true

  /** Before a request is sent: what `confirm` needs to know of that time. */
  get moment(): number {
    return this.epoch
  }

  /** How a read must ask, and of whom where that matters. */
  get level(): 'weak' | 'linearizable' {
    return this.fresh || this.node !== undefined ? 'weak' : 'linearizable'
  }

  /** Where a weak read may go; undefined where any leader will do, as nothing has been written yet. */
  get home(): string | undefined {
    return this.node
  }

  /** `node` has answered a write, or a linearizable read, that was sent at `moment`. */
  confirm(node: string, moment: number): void {
    if (moment === this.epoch) {
      if (this.node !== node) this.epoch++
      this.node = node
    } else if (this.node !== node) {
      this.doubt()
    }
  }

  /** A write is about to be sent. */
  writes(): void {
    if (!this.fresh) return
    this.fresh = false
    this.epoch++
  }

  /** What was known may no longer hold. */
  doubt(): void {
    this.node = undefined
    this.epoch++
  }

  /** As `doubt`, where it is about `node`. */
  lost(node: string): void {
    if (this.node === node) this.doubt()
  }
}
