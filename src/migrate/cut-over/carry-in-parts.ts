import type { ObjectInfo, UploadedPart } from '../../core/provider.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { OBJECTS, UPLOADS } from './cut-over-tables.ts'
import { objectRow } from './object-rows.ts'
import { otherSide, type Side } from './phase.ts'

/** What has arrived is written down so often at most: the rest is sent again after a kill. */
const SAVE_MS = 1_000
/** Parts of one object under way at once, each held in memory. */
const PARTS_AT_ONCE = 4

/** A large object on its way to the side that lacks it. */
export interface PartsRequest {
  readonly key: string
  readonly op: string
  /** The side that has it. */
  readonly source: Side
  readonly signal?: AbortSignal | undefined
}

/** Whether an object goes in parts, of which those that have arrived are not sent again after a kill. */
export function goesInParts(set: CutOverSet, from: Side, { size, etag }: ObjectInfo): boolean {
  const source = set.side(from).capabilities
  const target = set.side(otherSide(from)).capabilities
  const isPinned = source.conditionalRead === true && etag !== undefined
  return size >= set.settings.largeObjectBytes && target.resumableUpload && isPinned
}

/**
 * Sends an object in parts, read by their ranges from one version of it. Two processes that do so at once send the same bytes: the key is
 * written once. While it goes on, its row is not due, so that no worker begins with it, too.
 *
 * @throws `conflict` where the row is another one by now, or a tombstone
 */
export async function carryInParts(
  set: CutOverSet,
  request: PartsRequest,
  info: ObjectInfo,
  attributes: Readonly<Record<string, unknown>>,
): Promise<ObjectInfo> {
  const { key, source, signal } = request
  const from = set.side(source)
  const upload = new PartsRecord(set, request, info)
  const giveBack = await set.large.take(1, signal)
  try {
    await upload.assertOwed()
    const stored = await set.side(otherSide(source)).uploadResumable(
      key,
      {
        size: info.size,
        async read(start, end, ending) {
          const range = `bytes=${start}-${end - 1}` as const
          return from.download(key, { range, ifMatch: info.etag!, ...(ending && { signal: ending }) })
        },
      },
      {
        ...attributes,
        concurrency: PARTS_AT_ONCE,
        ...(await upload.resume()),
        onToken: token => upload.begin(token),
        onPart: part => upload.add(part),
        ...(signal && { signal }),
      },
    )
    await upload.end()
    return stored
  } catch (error) {
    throw upload.refusal ?? error
  } finally {
    giveBack()
  }
}

/** What has arrived of one upload, in memory and in its row. */
class PartsRecord {
  readonly #set: CutOverSet
  readonly #request: PartsRequest
  readonly #info: ObjectInfo
  #parts: UploadedPart[] = []
  #token: string | undefined
  #savedAt = Number.NEGATIVE_INFINITY
  /** What ended the upload, if its row did. */
  refusal: unknown

  constructor(set: CutOverSet, request: PartsRequest, info: ObjectInfo) {
    this.#set = set
    this.#request = request
    this.#info = info
  }

  async resume(): Promise<{ resume?: { token: string; parts: readonly UploadedPart[] } }> {
    const { name } = this.#set
    const { key, source } = this.#request
    const [row] = await this.#set.query([
      `SELECT token, parts FROM ${UPLOADS} WHERE name = ? AND key = ? AND side = ? AND size = ? AND etag = ?`,
      name,
      key,
      otherSide(source),
      BigInt(this.#info.size),
      this.#info.etag!,
    ])
    if (row === undefined) return {}
    this.#token = String(row.token)
    this.#parts = JSON.parse(String(row.parts))
    return { resume: { token: this.#token, parts: [...this.#parts] } }
  }

  /** While it waited for its turn, somebody else may have brought it. */
  async assertOwed(): Promise<void> {
    const { key, op, source } = this.#request
    const row = await objectRow(this.#set, key)
    if (row?.op !== op || row.gone || row[otherSide(source)] === 'held') this.#refuse()
  }

  /** A new upload: nothing of it has arrived. */
  async begin(token: string): Promise<void> {
    this.#token = token
    this.#parts = []
    await this.#save()
  }

  async add(part: UploadedPart): Promise<void> {
    this.#parts.push(part)
    if (this.#token !== undefined && this.#set.now() - this.#savedAt >= SAVE_MS) await this.#save()
  }

  async end(): Promise<void> {
    if (this.#token === undefined) return
    const { key, source } = this.#request
    await this.#set.write([
      [
        `DELETE FROM ${UPLOADS} WHERE name = ? AND key = ? AND side = ?`,
        this.#set.name,
        key,
        otherSide(source),
      ],
    ])
  }

  async #save(): Promise<void> {
    const { name, settings, now } = this.#set
    const { key, op, source } = this.#request
    this.#savedAt = now()
    const { results } = await this.#set.write([
      [
        `UPDATE ${OBJECTS} SET due_at = ? WHERE name = ? AND key = ? AND op = ? AND gone = 0`,
        BigInt(now() + settings.leaseMs + settings.secondMs),
        name,
        key,
        op,
      ],
      [
        `INSERT INTO ${UPLOADS} (name, key, side, token, size, etag, parts) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name, key, side) DO UPDATE SET token = excluded.token, size = excluded.size, etag = excluded.etag, parts = excluded.parts`,
        name,
        key,
        otherSide(source),
        this.#token!,
        BigInt(this.#info.size),
        this.#info.etag!,
        JSON.stringify(this.#parts),
      ],
    ])
    if (results !== undefined && results[0]!.changes !== 1) this.#refuse()
  }

  #refuse(): never {
    const { key } = this.#request
    this.refusal = this.#set.conflict(
      'settle',
      'deleted, or brought by somebody else, while it was copied',
      key,
    )
    throw this.refusal
  }
}
