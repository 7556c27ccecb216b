/**
 * Tells a node that has frozen (stopped, swapped out, cut off) from one that is busy: where nothing has come from it
 * for a while though it was asked, it must answer a question that costs it nothing, or is given up at once. So a long
 * request may take its time, and a frozen leader does not cost that much.
 */

/** A request that waits for a node; `give` ends it. */
export interface Watched {
  give: (() => void) | undefined
}

interface Node {
  readonly waiting: Set<Watched>
  /** Whether anything has come since the last look, or nothing was waited for. */
  heard: boolean
  probing: boolean
  suspect: boolean
}

const LOOK_EVERY_MS = 500

export class NodeWatch {
  private readonly nodes = new Map<string, Node>()
  private readonly isAlive: (node: string) => Promise<boolean>
  private timer: NodeJS.Timeout | undefined

  constructor(isAlive: (node: string) => Promise<boolean>) {
    this.isAlive = isAlive
  }

  begin(name: string): Watched {
    const node = this.node(name)
    const watched: Watched = { give: undefined }
    if (node.waiting.size === 0) node.heard = true
    node.waiting.add(watched)
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref()
    return watched
  }

  /** The request has ended; `answered` where the node has said anything. */
  end(name: string, watched: Watched, answered: boolean): void {
    const node = this.node(name)
    node.waiting.delete(watched)
    if (!answered) {
      node.suspect = true
      this.probe(name, node)
    } else {
      node.heard = true
      node.suspect = false
    }
  }

  /** Whether the node has failed and not been heard of since. */
  suspects(name: string): boolean {
    return this.nodes.get(name)?.suspect ?? false
  }

  close(): void {
    clearInterval(this.timer)
  }

  private node(name: string): Node {
    let node = this.nodes.get(name)
    if (node === undefined) {
      node = { waiting: new Set(), heard: true, probing: false, suspect: false }
      this.nodes.set(name, node)
    }
    return node
  }

  private look(): void {
    let idle = true
    for (const [name, node] of this.nodes) {
      if (node.waiting.size > 0 && !node.heard) this.probe(name, node)
      if (node.suspect) this.probe(name, node)
      node.heard = false
      if (node.waiting.size > 0 || node.suspect) idle = false
    }
    if (!idle) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  private probe(name: string, node: Node): void {
    if (node.probing) return
    node.probing = true
    const asked = [...node.waiting]
    void this.isAlive(name).then(alive => {
      node.probing = false
      node.suspect = !alive
      if (alive) node.heard = true
      else for (const watched of asked) watched.give?.()
    })
  }
}
