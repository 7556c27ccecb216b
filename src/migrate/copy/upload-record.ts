import type { UploadedPart } from '../../core/provider.ts'
import type { Arrival } from './arrival.ts'
import type { CopyContext, CopyTask } from './copy-context.ts'

/** How long parts may go unrecorded at least: they are sent again after a kill. */
const SAVE_MS = 1000
/** And so long for each part that is recorded each time: a very large object has ten thousand. */
const SAVE_MS_PER_PART = 2

/** The parts of an upload that have arrived, in memory and in the object's row. */
export class UploadRecord {
  readonly #context: CopyContext
  readonly #task: CopyTask
  readonly #arrived: Arrival
  readonly #parts = new Map<number, UploadedPart>()
  #token: string | undefined
  #savedAt = Number.NEGATIVE_INFINITY

  constructor(context: CopyContext, task: CopyTask, arrived: Arrival) {
    this.#context = context
    this.#task = task
    this.#arrived = arrived
    const begun = task.work.upload
    // Parts of another version are worth nothing; the store tells by the token whether it knows the upload still.
    if (begun?.sourceEtag !== arrived.info.etag || begun?.size !== arrived.info.size) return
    this.#token = begun?.token
    for (const part of begun?.parts ?? []) this.#parts.set(part.start, part)
  }

  get parts(): readonly UploadedPart[] {
    return [...this.#parts.values()]
  }

  get resume(): { token: string; parts: readonly UploadedPart[] } | undefined {
    return this.#token === undefined ? undefined : { token: this.#token, parts: this.parts }
  }

  /** A new upload: nothing of it has arrived. */
  async begin(token: string): Promise<void> {
    this.#token = token
    this.#parts.clear()
    await this.#save()
  }

  async add(part: UploadedPart): Promise<void> {
    this.#parts.set(part.start, part)
    if (this.#token === undefined) return
    const now = this.#context.settings.now()
    const isLast =
      this.parts.reduce((sum, { start, end }) => sum + end - start, 0) === this.#arrived.info.size
    // All parts are there: what is put together of them must be known as ours.
    if (isLast || now - this.#savedAt >= SAVE_MS + this.#parts.size * SAVE_MS_PER_PART) await this.#save()
  }

  async #save(): Promise<void> {
    this.#savedAt = this.#context.settings.now()
    const { info } = this.#arrived
    await this.#context.keep(this.#task, {
      ...this.#task.work,
      upload: { token: this.#token!, sourceEtag: info.etag!, size: info.size, parts: this.parts },
    })
  }
}
