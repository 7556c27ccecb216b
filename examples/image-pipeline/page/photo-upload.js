import { imageProcessor, uploadDirect } from 'stowage/browser'
import { ask } from './api.js'

const LONGEST_SIDE = 4096
/** Photos at once: more would only share the line. */
const AT_ONCE = 3

// A file of its own, because the page's policy lets no script come from elsewhere.
const processor = imageProcessor({
  worker: () => new Worker('/assets/image-worker.js', { type: 'module' }),
})

/** Turned upright, size and blurhash: in a worker, before anything is sent. */
export function preparePhoto(file, { signal } = {}) {
  return processor.process(file, { maxWidth: LONGEST_SIDE, maxHeight: LONGEST_SIDE, signal })
}

/** One photo on its way. `send` may be called again after it has failed: what has arrived is not sent twice. */
export class PhotoUpload {
  #photo
  #wanted
  #alt
  #ticket
  #isSent = false

  constructor(photo, { alt = '', threadId, kind } = {}) {
    const { blob, type } = photo
    this.#photo = photo
    this.#alt = alt
    this.#wanted = { contentType: type, size: blob.size, threadId, kind }
  }

  /** @returns the image as the server has it */
  async send({ signal, onProgress, onRetry }) {
    await inTurn(signal, async () => {
      if (this.#isSent) return
      await uploadDirect(await this.#begin(signal), this.#photo.blob, {
        signal,
        attempts: 3,
        onProgress: ({ loaded, total }) => onProgress(loaded / (total || 1)),
        onRetry,
        renew: () => this.#begin(signal),
      })
      this.#isSent = true
    })
    const { width, height, blurhash } = this.#photo
    // A hint: the server looks for itself.
    const hint = { width, height, blurhash }
    return ask('POST', '/images', { ticket: this.#ticket, alt: this.#alt, hint }, { signal })
  }

  async #begin(signal) {
    const { upload, ticket } = await ask('POST', '/uploads', this.#wanted, { signal })
    this.#ticket = ticket
    return upload
  }
}

const waiting = []
let running = 0

async function inTurn(signal, work) {
  if (running >= AT_ONCE) await new Promise(resolve => waiting.push(resolve))
  running++
  try {
    signal.throwIfAborted()
    return await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}
