/** Memory for parts that is used again, by all large objects of a run: what is set aside anew for each would wait for the garbage collector. */
export class PartBuffers {
  readonly #bytes: number
  readonly #free: Buffer[] = []

  /** @param bytes of most parts; longer ones are set aside anew */
  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(length: number): Buffer {
    if (length > this.#bytes) return Buffer.allocUnsafeSlow(length)
    return (this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)).subarray(0, length)
  }

  /** Of a part that nobody reads any more. */
  giveBack(part: Buffer): void {
    if (part.length > this.#bytes) return
    this.#free.push(Buffer.from(part.buffer, part.byteOffset, this.#bytes))
  }
}
