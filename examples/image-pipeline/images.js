import { tenantTable } from 'stowage/records'
import { TABLE_COLUMNS } from './images-table.js'
import { Refusal } from './refusal.js'

const LONGEST_ALT = 300
/** How long caches keep an original. Its bytes never change; it is the time for which a deleted one may still be seen. */
export const ORIGINAL_SECONDS = 86_400

/**
 * The images of all users: a row here, and a file with its record, which come and go together. Size, type, width,
 * height and blurhash are in the file's record, so that nothing is kept twice.
 */
export class Images {
  #files
  #engine
  #urls
  #table
  #now
  #latest = 0

  /**
   * @param {object} parts
   * @param {object} parts.files records over a store, which compute size and blurhash as files come
   * @param {object} parts.engine
   * @param {object} parts.urls what `imageUrls` returned
   */
  constructor({ files, engine, urls, now = Date.now }) {
    this.#files = files
    this.#engine = engine
    this.#urls = urls
    this.#table = tenantTable(files.tenantId, 'images')
    this.#now = now
  }

  /** The statement that inserts the row of an image, for the batch that publishes its file. */
  #insert({ id, key, userId, threadId, place, kind, alt, source = '' }) {
    // Versions of a thread have an order also where two came in one millisecond.
    this.#latest = Math.max(this.#latest + 1, this.#now())
    return [
      `INSERT INTO ${this.#table} (${TABLE_COLUMNS.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, key, userId, threadId, place, kind, cleanAlt(alt), source, BigInt(this.#latest)],
    ]
  }

  /**
   * Makes a file of what a browser has sent, and its row in the same breath. Twice gives the same image.
   *
   * @throws 422 where it is no image, or one that can't be read
   */
  async finish(userId, { uploadId, ...row }, alt) {
    const also = [this.#insert({ ...row, userId, alt })]
    const cacheControl = `max-age=${ORIGINAL_SECONDS}`
    await this.#files.finalize(uploadId, { also, cacheControl }).catch(error => {
      const isBad = error.code === 'invalid-argument' && error.cause?.operation === 'describe'
      throw isBad ? noImage() : error
    })
    return this.one(userId, row.id)
  }

  /** @throws 404 where this user may not see it, or it is not there */
  async one(userId, id) {
    const row = await this.#row(userId, id)
    const [image] = await this.#shown(userId, [row])
    if (image === undefined) throw notFound()
    return image
  }

  /** All versions of a thread, the first one first. */
  async versions(userId, threadId) {
    const rows = await this.#query(
      `thread_id = ? AND (user_id = ? OR place = 'feed') ORDER BY created_at, id LIMIT 500`,
      threadId,
      userId,
    )
    if (rows.length === 0) throw notFound()
    return this.#shown(userId, rows)
  }

  /** The newest first: what this user has begun, and what others have shared. */
  async feed(userId, { after, limit }) {
    const [, time = '9'.repeat(15), id = ''] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(after ?? '') ?? []
    const before = BigInt(time)
    const rows = await this.#query(
      `((user_id = ? AND place = 'thread' AND kind = 'insert') OR (user_id <> ? AND place = 'feed'))
       AND (created_at < ? OR (created_at = ? AND id < ?))
       ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`,
      ...[userId, userId, before, before, id],
    )
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const next = rows.length > limit ? `${last.created_at}.${last.id}` : undefined
    return { images: await this.#shown(userId, page), next }
  }

  /** Copies an image into the feed: on the store's side, with its row. Sharing it again changes nothing. */
  async share(userId, id, { key, feedId, sharedId }) {
    const row = await this.#own(userId, id)
    if (row.place !== 'thread') throw new Refusal(409, 'conflict', 'Only an image of a thread can be shared.')
    const [shared] = await this.#query(`source = ?`, id)
    if (shared === undefined) {
      const copy = { id: sharedId, key, userId, threadId: feedId, place: 'feed', kind: 'insert' }
      const also = [this.#insert({ ...copy, alt: row.alt, source: id })]
      await this.#files.copy(row.file_key, key, { also })
    }
    return this.one(userId, id)
  }

  async describe(userId, id, alt) {
    await this.#own(userId, id)
    if (typeof alt !== 'string') throw new Refusal(400, 'invalid-argument', 'alt must be a text.')
    await this.#engine.batch([
      [`UPDATE ${this.#table} SET alt = ? WHERE id = ? OR source = ?`, cleanAlt(alt), id, id],
    ])
    return this.one(userId, id)
  }

  /**
   * Deletes the image and what was shared of it: rows and files in one batch.
   *
   * @returns `pending` where all are gone for every reader, and the store has not let go of the bytes yet
   */
  async remove(userId, id) {
    await this.#own(userId, id)
    const rows = await this.#query('(id = ? OR source = ?)', id, id)
    const results = await this.#files.deleteMany(
      rows.map(row => row.file_key),
      { also: [[`DELETE FROM ${this.#table} WHERE id = ? OR source = ?`, id, id]] },
    )
    const failed = results.find(result => result.status === 'error')
    if (failed === undefined) return 'deleted'
    if (failed.error.code === 'pending') return 'pending'
    throw failed.error
  }

  /** @throws 403 where the feed has something of somebody else under this id */
  async assertNotOfOthers(userId, threadId) {
    const others = await this.#query('thread_id = ? AND user_id <> ? LIMIT 1', threadId, userId)
    if (others.length > 0) throw ofSomebodyElse()
  }

  /** Deletes what was kept for a while only and is older than `milliseconds`. */
  async sweepTemporary(milliseconds) {
    const rows = await this.#query(
      `place = 'temp' AND created_at < ? LIMIT 500`,
      BigInt(this.#now() - milliseconds),
    )
    for (const { user_id, id } of rows) await this.remove(user_id, id)
    return rows.length
  }

  async #row(userId, id) {
    const [row] = await this.#query(`id = ? AND (user_id = ? OR place = 'feed')`, id, userId)
    if (row === undefined) throw notFound()
    return row
  }

  async #own(userId, id) {
    const row = await this.#row(userId, id)
    if (row.user_id !== userId) throw ofSomebodyElse()
    return row
  }

  #query(where, ...parameters) {
    const sql = `SELECT ${TABLE_COLUMNS.join(', ')} FROM ${this.#table} WHERE ${where}`
    return this.#engine.query([sql, ...parameters])
  }

  /** Rows with what their files' records say and the URLs of all of them: one query and one look into the cache. */
  async #shown(userId, rows) {
    if (rows.length === 0) return []
    const [sets, shares] = await Promise.all([
      this.#urls.many(rows.map(row => row.file_key)),
      this.#sharesOf(rows.map(row => row.id)),
    ])
    return rows.flatMap((row, index) => {
      const set = sets[index]
      // Deleted between the two questions.
      if (set.error?.code === 'not-found') return []
      if (!set.ok) throw set.error
      return [
        {
          ...set.value,
          id: row.id,
          threadId: row.thread_id,
          place: row.place,
          kind: row.kind,
          alt: row.alt,
          isMine: row.user_id === userId,
          isShared: row.place === 'feed' || shares.has(row.id),
          createdAt: new Date(Number(row.created_at)).toISOString(),
        },
      ]
    })
  }

  async #sharesOf(ids) {
    const marks = ids.map(() => '?').join(', ')
    const rows = await this.#engine.query([
      `SELECT source FROM ${this.#table} WHERE source IN (${marks})`,
      ...ids,
    ])
    return new Set(rows.map(row => row.source))
  }
}

function cleanAlt(alt) {
  const text =
    typeof alt === 'string'
      ? alt
          .toWellFormed()
          .replace(/[\s\x00-\x1f\x7f]+/g, ' ')
          .trim()
      : ''
  return [...text].slice(0, LONGEST_ALT).join('')
}

function notFound() {
  return new Refusal(404, 'not-found', 'This image is not there any more.')
}

function ofSomebodyElse() {
  return new Refusal(403, 'permission-denied', 'This image is of somebody else.')
}

function noImage() {
  return new Refusal(422, 'not-an-image', 'This is no image, or it is damaged.')
}
