import { randomUUID } from 'node:crypto'
import { IMAGE_KEYS } from './image-keys.js'
import { Refusal } from './refusal.js'

/** Most bytes of one image. */
export const MOST_BYTES = 25 * 1024 * 1024
/** What browsers show and sharp decodes. */
export const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']
const URL_SECONDS = 15 * 60
/** A slow connection may end an upload after its URL has expired. */
const TICKET_MS = 2 * 60 * 60 * 1000

/**
 * Signed uploads: the bytes go from the browser to the store. With the URL goes a ticket that says whose upload it is and
 * what it will be, sealed, so that nothing has to be kept here of uploads that never come.
 */
export class Uploads {
  #files
  #tickets

  constructor(files, tickets) {
    this.#files = files
    this.#tickets = tickets
  }

  /**
   * @param {object} wanted
   * @param {string} wanted.contentType
   * @param {number} wanted.size bytes
   * @param {'thread' | 'temp' | 'feed'} [wanted.place]
   * @param {string} [wanted.kind] `insert`, `gen`, `mask` or `expand`; in the feed `insert` or `watermark`
   * @param {string} [wanted.threadId] the thread that the image is a version of; a new one where it is absent
   */
  async begin(userId, { contentType, size, place = 'thread', kind = 'insert', threadId = randomUUID() }) {
    if (!TYPES.includes(contentType))
      throw new Refusal(415, 'unsupported-type', `Images are ${TYPES.join(', ')}.`)
    if (!Number.isSafeInteger(size) || size < 1)
      throw new Refusal(400, 'invalid-argument', 'size must be a number of bytes.')
    if (size > MOST_BYTES)
      throw new Refusal(413, 'too-large', `Images may have ${MOST_BYTES / 1024 ** 2} MB at most.`)
    const image = imageAt(place, { userId, threadId, kind, id: randomUUID() })
    const { uploadId, ...upload } = await this.#files.signedUpload(image.key, {
      ...limitsOf(this.#files.capabilities.signedUpload, { size, contentType }),
    })
    return { upload, ticket: this.#tickets.seal({ userId, uploadId, image, until: Date.now() + TICKET_MS }) }
  }

  /** What the ticket is for. @throws 403 for a ticket of somebody else, or none */
  open(userId, ticket) {
    const { userId: owner, uploadId, image, until } = this.#tickets.open(ticket) ?? {}
    if (owner === undefined || owner !== userId || until < Date.now())
      throw new Refusal(403, 'permission-denied', 'This upload is of somebody else, or took too long.')
    return { uploadId, ...image }
  }
}

function imageAt(place, { userId, threadId, kind, id }) {
  try {
    if (place === 'thread')
      return { key: IMAGE_KEYS.thread.build({ userId, threadId, kind, id }), id, threadId, place, kind }
    if (place === 'feed')
      return { key: IMAGE_KEYS.feed.build({ threadId, kind, id }), id, threadId, place, kind }
    // Not a version of anything: a thread by itself.
    if (place === 'temp')
      return { key: IMAGE_KEYS.temp.build({ userId, id }), id, threadId: id, place, kind: 'insert' }
  } catch (error) {
    // A thread's id or a kind that is none.
    throw new Refusal(400, 'invalid-argument', error.message)
  }
  throw new Refusal(400, 'invalid-argument', 'place must be thread, temp or feed.')
}

/** What this store can be told to enforce by itself; the rest is seen when the upload is finished. */
function limitsOf(able, { size, contentType }) {
  const limit = able.size ? { size } : able.maxSize ? { maxSize: size } : {}
  return {
    ...limit,
    ...(able.contentType ? { contentType } : {}),
    ...(able.choosesExpiry ? { expiresIn: URL_SECONDS } : {}),
  }
}
