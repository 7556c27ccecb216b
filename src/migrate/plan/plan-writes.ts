import type { Manifest, RowChange } from '../manifest.ts'

const BATCH = 512
/** Batches under way at once: the next ones are put together while the disk or the network is waited for. */
const UNDER_WAY = 3

/** Changes of a plan on their way to the manifest. Each names the revision it was decided on: what a copy wrote meanwhile stays. */
export class PlanWrites {
  readonly #manifest: Manifest
  #changes: RowChange[] = []
  #underWay: Promise<void>[] = []
  #total = 0

  constructor(manifest: Manifest) {
    this.#manifest = manifest
  }

  /** Changes so far. */
  get total(): number {
    return this.#total
  }

  /** Resolves when there is room for the next one. */
  add(change: RowChange & { readonly ifRevision: number }): Promise<void> | undefined {
    this.#changes.push(change)
    this.#total++
    return this.#changes.length < BATCH ? undefined : this.#send()
  }

  async flush(): Promise<void> {
    if (this.#changes.length > 0) await this.#send()
    await Promise.all(this.#underWay.splice(0))
  }

  async #send(): Promise<void> {
    const written = this.#manifest.write(this.#changes)
    this.#changes = []
    // Told by who waits for it.
    written.catch(() => {})
    this.#underWay.push(written)
    if (this.#underWay.length > UNDER_WAY) await this.#underWay.shift()
  }
}
