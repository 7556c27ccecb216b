import { encodeKey } from '../../core/keys.ts'

/** What a copy names as its source: the header and, where it is known, the etag that it must have. */
export interface SourceInput {
  readonly CopySource: string
  readonly CopySourceIfMatch?: string
}

export interface Source {
  readonly key: string
  readonly etag?: string | undefined
}

/**
 * The source's name, percent-encoded as S3 has it. Supabase does not decode it and finds nothing; there the name is
 * sent once more as it is. Only where it has no percent sign, which others would decode, and where the etag pins
 * the copy to the object that was seen.
 */
export class CopySource {
  readonly #bucket: string
  /** The server was found to take names as they are. */
  #plain = false

  constructor(bucket: string) {
    this.#bucket = bucket
  }

  async copy<Result>({ key, etag }: Source, work: (input: SourceInput) => Promise<Result>): Promise<Result> {
    const pin = etag === undefined ? {} : { CopySourceIfMatch: `"${etag}"` }
    const encoded = { CopySource: `${encodeKey(this.#bucket)}/${encodeKey(key)}`, ...pin }
    const plain = { CopySource: `${this.#bucket}/${key}`, ...pin }
    const differs = plain.CopySource !== encoded.CopySource
    if (differs && this.#plain && PLAIN_NAME.test(key)) return work(plain)
    try {
      return await work(encoded)
    } catch (error) {
      const missing = error instanceof Error && error.name === 'NoSuchKey'
      if (!missing || !differs || etag === undefined || !PLAIN_NAME.test(key)) throw error
      const result = await work(plain)
      this.#plain = true
      return result
    }
  }
}

/** Printable ASCII without a percent sign. */
const PLAIN_NAME = /^[\x20-\x24\x26-\x7e]+$/
