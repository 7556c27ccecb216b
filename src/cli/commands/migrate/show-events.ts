import type { MigrationEvent, MigrationPlan } from '../../../migrate/index.ts'
import { printable } from '../../human-format.ts'
import type { Output } from '../../output.ts'

type Phase = 'listing' | 'copying' | 'verifying'

/** Shows what a migration tells: a bar for people, an object a line with `--json`. */
export class EventShow {
  /** The last that was made. */
  plan: MigrationPlan | undefined
  readonly #out: Output
  #phase: Phase | undefined
  readonly #listed = { source: 0, destination: 0 }
  /** Bytes of objects that have begun to arrive, by key: the totals know them when they have ended. */
  readonly #arriving = new Map<string, number>()

  constructor(out: Output) {
    this.#out = out
  }

  async show(event: MigrationEvent): Promise<void> {
    if (event.kind === 'planned') this.plan = event.plan
    if (this.#out.json) return this.#out.result(eventLine(event), '')
    this.#follow(event)
    const { progress } = this.#out
    switch (event.kind) {
      case 'listing':
        this.#enter('listing')
        this.#listed[event.side] = event.objects
        progress.count(this.#listed.source + this.#listed.destination, undefined, 'objects', 'listing')
        return
      case 'copied':
      case 'part': {
        this.#enter('copying')
        const { copiedBytes, copiedObjects, totalBytes, totalObjects } = event.progress
        const arriving = [...this.#arriving.values()].reduce((sum, bytes) => sum + bytes, 0)
        progress.reach(
          { bytes: copiedBytes + arriving, files: copiedObjects },
          { bytes: totalBytes, files: totalObjects },
        )
        return
      }
      case 'verified':
        this.#enter('verifying')
        progress.count(event.checked, event.total, 'objects', 'verifying')
        return
      case 'failed':
        this.#out.note(
          `failed: ${printable(event.row.sourceKey)}: ${event.error.code}: ${printable(event.error.message)}`,
        )
        return
      case 'repair':
        this.#out.note(`copied again: ${printable(event.key)}: ${printable(event.problem)}`)
        return
      case 'changed':
        this.#out.note(`changed meanwhile, copied again: ${printable(event.key)}`)
        return
      case 'refused':
        this.#out.note(
          `refused: ${printable(event.key)}: another object is at ${printable(event.destinationKey)}`,
        )
        return
      case 'lost':
        this.#out.note(`${event.attribute} is not kept by the destination, first of ${printable(event.key)}`)
    }
  }

  #follow(event: MigrationEvent): void {
    switch (event.kind) {
      case 'part':
        this.#arriving.set(event.key, (this.#arriving.get(event.key) ?? 0) + event.bytes)
        return
      case 'copied':
      case 'failed':
        this.#arriving.delete(event.row.sourceKey)
        return
      // What is sent again counts again.
      case 'retry':
      case 'gone':
      case 'refused':
        this.#arriving.delete(event.key)
    }
  }

  #enter(phase: Phase): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#out.progress.next()
  }
}

/** An event as it is printed: flat, and without what is a secret or of no use to others. */
function eventLine(event: MigrationEvent): object {
  const { kind, ...rest } = event
  const line: Record<string, unknown> = { event: kind, ...rest }
  if ('row' in event) {
    const { sourceKey, destinationKey, size } = event.row
    delete line.row
    Object.assign(line, { from: sourceKey, key: destinationKey, size })
  }
  if ('error' in event) line.error = { code: event.error.code, message: event.error.message }
  return line
}
