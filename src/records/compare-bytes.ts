/**
 * Objects and records held against each other. Both are lists in key order that are read side by side, page by page; what
 * does not match is asked for again before it is told, since files come and go meanwhile.
 */

import { KeyStream, type Meeting, meetings } from '../core/key-streams.ts'
import { compareKeys } from '../core/keys.ts'
import type { ObjectInfo } from '../core/provider.ts'
import type { AuditFinding } from './audit-finding.ts'
import {
  type AuditedRecord,
  jobPages,
  recordPages,
  type Sighting,
  sightingPages,
  trashPages,
} from './known-keys.ts'
import { hiddenWithoutJob, stillRecorded, unknownOf } from './known-now.ts'
import { formOf, isMarker } from './object-form.ts'
import { forgetSightings } from './orphan-sightings.ts'
import type { RecordSet } from './record-set.ts'

/** An object that neither a record nor a job knows, as it was listed. */
export interface Unrecorded {
  readonly object: ObjectInfo
  readonly form: 'ours' | 'foreign'
  /** As an audit before saw the same object. */
  readonly sighting: Sighting | undefined
}

export interface ByteCounts {
  objects: number
  /** Of all objects. */
  bytes: number
  /** Live and hidden ones. */
  records: number
}

export interface Comparing {
  readonly root: string
  readonly signal: AbortSignal | undefined
  /** Of records: what is missing and what differs, and roots of others. */
  onFinding(finding: AuditFinding): void
  /** Confirmed ones, in batches. */
  onUnrecorded(batch: readonly Unrecorded[]): Promise<void>
  onProgress(): void
}

/** Doubts that are looked into at once: one query, and one page of the store's list. */
const BATCH = 250

/** @throws what the list throws: then nothing is known of what follows */
export async function compareBytes(set: RecordSet, counts: ByteCounts, comparing: Comparing): Promise<void> {
  await new Comparison(set, counts, comparing).run()
}

type Streams = ReturnType<Comparison['open']>

class Comparison {
  readonly #set: RecordSet
  readonly #counts: ByteCounts
  readonly #comparing: Comparing
  #unrecorded: Unrecorded[] = []
  #doubtful: AuditedRecord[] = []
  #hidden: string[] = []
  #forgotten: string[] = []
  /** The object before the first of `#unrecorded`: from there the list is asked again. */
  #before: string | undefined
  #last: string | undefined

  constructor(set: RecordSet, counts: ByteCounts, comparing: Comparing) {
    this.#set = set
    this.#counts = counts
    this.#comparing = comparing
  }

  async run(): Promise<void> {
    const streams = this.open()
    let page = 0
    for await (const [, meeting] of meetings(streams)) {
      this.#meet(meeting)
      const turned = streams.object.turned !== page
      page = streams.object.turned
      if (turned) this.#comparing.onProgress()
      if (turned || this.#unrecorded.length >= BATCH) await this.#confirmUnrecorded()
      if (this.#doubtful.length >= BATCH) await this.#confirmDoubtful()
      if (this.#hidden.length >= BATCH) await this.#confirmHidden()
      if (this.#forgotten.length >= BATCH) await this.#forget()
    }
    await this.#confirmUnrecorded()
    await this.#confirmDoubtful()
    await this.#confirmHidden()
    await this.#forget()
    this.#comparing.onProgress()
  }

  open() {
    const [set, { root, signal }] = [this.#set, this.#comparing]
    const physical = (item: { readonly physical: string }) => item.physical
    return {
      object: new KeyStream(objectPages(set, root, signal), object => object.key),
      record: new KeyStream(recordPages(set, signal), physical),
      trash: new KeyStream(trashPages(set, signal), physical),
      job: new KeyStream(jobPages(set, signal), physical),
      sighting: new KeyStream(sightingPages(set, signal), physical),
    }
  }

  #meet({ object, record, trash, job, sighting }: Meeting<Streams>): void {
    const { root } = this.#comparing
    if (record !== undefined) this.#counts.records++
    const recorded = record ?? trash
    if (recorded?.state === 'deleting' && job === undefined) this.#hidden.push(recorded.physical)
    if (object === undefined) {
      if (recorded !== undefined && recorded.state !== 'deleting') this.#doubtful.push(recorded)
      if (sighting !== undefined) this.#forgotten.push(sighting.physical)
      return
    }
    this.#counts.objects++
    this.#counts.bytes += object.size
    const isKnown = recorded !== undefined || job !== undefined
    // Also where somebody has adopted it: what lies beside a marker is another database's all the same.
    const form = isKnown && !isMarker(object.key) ? undefined : formOf(root, object.key)
    if (recorded !== undefined && recorded.state !== 'deleting' && difference(recorded, object) !== undefined)
      this.#doubtful.push(recorded)
    if (form === 'foreign-record-set') {
      this.#comparing.onFinding({ kind: form, physical: object.key })
    } else if (!isKnown && form !== undefined && form !== 'own-file') {
      if (this.#unrecorded.length === 0) this.#before = this.#last
      this.#unrecorded.push({ object, form, sighting: sameObject(sighting, object) })
    } else if (sighting !== undefined) this.#forgotten.push(object.key)
    this.#last = object.key
  }

  /** Again, and in this order: does the database know them now, and does the store still list them? */
  async #confirmUnrecorded(): Promise<void> {
    const batch = this.#unrecorded
    if (batch.length === 0) return
    this.#unrecorded = []
    const unknown = await unknownOf(
      this.#set,
      batch.map(({ object }) => object.key),
    )
    const there = await this.#listed(batch)
    const confirmed: Unrecorded[] = []
    for (const unrecorded of batch) {
      const { key } = unrecorded.object
      const object = there.get(key)
      if (object !== undefined && unknown.has(key))
        confirmed.push({ ...unrecorded, object, sighting: sameObject(unrecorded.sighting, object) })
      else if (unrecorded.sighting !== undefined) this.#forgotten.push(key)
    }
    if (confirmed.length > 0) await this.#comparing.onUnrecorded(confirmed)
  }

  async #listed(batch: readonly Unrecorded[]): Promise<Map<string, ObjectInfo>> {
    const wanted = new Set(batch.map(({ object }) => object.key))
    const last = batch.at(-1)!.object.key
    const there = new Map<string, ObjectInfo>()
    const { root, signal } = this.#comparing
    for (let after = this.#before; ; ) {
      const { items, next } = await this.#set.provider
        .list({ prefix: root, ...(after === undefined ? {} : { startAfter: after }) })
        .page({ signal, limit: 1000 })
      for (const item of items) if (item.kind === 'object' && wanted.has(item.key)) there.set(item.key, item)
      if (next === undefined || compareKeys(next, last) >= 0) return there
      after = next
    }
  }

  /** Again: is it recorded so now, and what does the store say of this one object? */
  async #confirmDoubtful(): Promise<void> {
    const doubtful = this.#doubtful
    if (doubtful.length === 0) return
    this.#doubtful = []
    const records = await stillRecorded(this.#set, doubtful)
    const results = await this.#set.provider.infoMany(
      records.map(({ physical }) => physical),
      { signal: this.#comparing.signal },
    )
    // What was deleted or replaced while the store was asked is no finding.
    const still = new Map((await stillRecorded(this.#set, records)).map(record => [record.physical, record]))
    for (const [index, record] of records.entries()) {
      if (!still.has(record.physical)) continue
      const result = results[index]!
      const { key, physical, state } = record
      if (result.ok) {
        const finding = difference(record, result.value)
        if (finding !== undefined) this.#comparing.onFinding(finding)
      } else if (result.error.code === 'not-found' && result.error.resource === undefined) {
        const area = state === 'trash' ? 'trash' : 'files'
        this.#comparing.onFinding({ kind: 'bytes-missing', area, key, physical })
      } else throw result.error
    }
  }

  async #confirmHidden(): Promise<void> {
    const physicals = this.#hidden
    this.#hidden = []
    for (const { key, physical } of await hiddenWithoutJob(this.#set, physicals))
      this.#comparing.onFinding({ kind: 'hidden-without-job', key, physical })
  }

  async #forget(): Promise<void> {
    const forgotten = this.#forgotten
    this.#forgotten = []
    await forgetSightings(this.#set, forgotten)
  }
}

async function* objectPages(set: RecordSet, root: string, signal: AbortSignal | undefined) {
  for await (const entries of set.provider.list({ prefix: root, signal }).pages())
    yield entries.filter(entry => entry.kind === 'object')
}

/** A sighting counts for the object that was seen, not for another under its key. */
function sameObject(sighting: Sighting | undefined, { size, etag }: ObjectInfo): Sighting | undefined {
  return sighting !== undefined && sighting.size === size && sighting.etag === etag ? sighting : undefined
}

/** The first thing in which an object is not as recorded. The etag counts only where no checksum tells more. */
function difference(record: AuditedRecord, object: ObjectInfo): AuditFinding | undefined {
  const { key, physical, size, checksum, storeEtag } = record
  if (size !== object.size)
    return { kind: 'size-differs', key, physical, recorded: size, stored: object.size }
  const stored = object.checksum
  if (
    checksum !== undefined &&
    stored !== undefined &&
    stored.algorithm === checksum.algorithm &&
    stored.compositeParts === undefined
  )
    return stored.value === checksum.value
      ? undefined
      : { kind: 'checksum-differs', key, physical, recorded: checksum.value, stored: stored.value }
  if (record.state === 'trash' || storeEtag === undefined || object.etag === undefined) return undefined
  return storeEtag === object.etag
    ? undefined
    : { kind: 'etag-differs', key, physical, recorded: storeEtag, stored: object.etag }
}
