import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** A key for one purpose, so that what is made for one is never taken for another. */
export function derivedKey(secret, purpose, bytes = 32) {
  return Buffer.from(hkdfSync('sha256', secret, '', `image-pipeline ${purpose}`, bytes))
}

/** Values that a browser carries for us and can't change: signed, not hidden. */
export class Sealed {
  #key

  constructor(secret, purpose) {
    this.#key = derivedKey(secret, purpose)
  }

  seal(value) {
    const text = Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${text}.${this.#mac(text).toString('base64url')}`
  }

  /** What was sealed, or undefined for anything else. */
  open(sealed) {
    const [, text, mac] = /^([\w-]{1,4096})\.([\w-]{43})$/.exec(sealed ?? '') ?? []
    if (text === undefined) return undefined
    if (!timingSafeEqual(Buffer.from(mac, 'base64url'), this.#mac(text))) return undefined
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  }

  #mac(text) {
    return createHmac('sha256', this.#key).update(text).digest()
  }
}
