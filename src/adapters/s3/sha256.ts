import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'

/**
 * SHA-256 and its HMAC as `@smithy/signature-v4` takes them, over OpenSSL.
 *
 * For each signature that library hashes the secret with the access key's id, to find the signing key that it keeps.
 * The answer to that one question is remembered, which is a tenth of the work.
 */
export class Sha256 {
  static #last:
    | { readonly secret: string; readonly data: Uint8Array; readonly digest: Uint8Array }
    | undefined
  #hash: Hash | Hmac | undefined
  readonly #secret: string | undefined
  /** The first data under a secret: most often all of it. */
  #data: Uint8Array | undefined

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (typeof secret === 'string') this.#secret = secret
    else this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: Uint8Array): void {
    if (this.#hash === undefined && this.#data === undefined) this.#data = data
    else this.#open().update(data)
  }

  async digest(): Promise<Uint8Array> {
    const secret = this.#secret
    const data = this.#data
    if (this.#hash !== undefined || secret === undefined || data === undefined) return this.#open().digest()
    const last = Sha256.#last
    if (last !== undefined && last.secret === secret && Buffer.compare(last.data, data) === 0)
      return last.digest
    const digest = this.#open().digest()
    Sha256.#last = { secret, data, digest }
    return digest
  }

  reset(): void {}

  #open(): Hash | Hmac {
    if (this.#hash === undefined) {
      this.#hash = createHmac('sha256', this.#secret ?? '')
      if (this.#data !== undefined) this.#hash.update(this.#data)
    }
    return this.#hash
  }
}

function bytesOf(secret: ArrayBuffer | ArrayBufferView): Uint8Array {
  return secret instanceof ArrayBuffer
    ? new Uint8Array(secret)
    : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
}
