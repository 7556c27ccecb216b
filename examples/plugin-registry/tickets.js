import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

const FORM = /^([\w-]{1,4096})\.([\w-]{43})$/

/** What a publisher carries from the first request to the second and can't change: signed, not hidden. */
export class Tickets {
  #key

  constructor(secret) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'plugin-registry tickets', 32))
  }

  seal(value) {
    const text = Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${text}.${this.#mac(text).toString('base64url')}`
  }

  /** What was sealed, or undefined for anything else. */
  open(ticket) {
    const [, text, mac] = FORM.exec(ticket) ?? []
    if (text === undefined || !timingSafeEqual(Buffer.from(mac, 'base64url'), this.#mac(text)))
      return undefined
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  }

  #mac(text) {
    return createHmac('sha256', this.#key).update(text).digest()
  }
}
