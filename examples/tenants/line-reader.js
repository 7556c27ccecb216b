const CRLF = Buffer.from('\r\n')

/** Reads a connection line by line. Only CRLF ends a line: a bare LF or CR is content, as RFC 5321 (2.3.8) has it. */
export class LineReader {
  #chunks
  #buffer = Buffer.alloc(0)

  constructor(socket) {
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  /**
   * The next line without its end, cut behind `keep` bytes: what is longer is read and dropped, so that nobody fills the
   * memory. Undefined at the end of the connection.
   */
  async line(keep) {
    const parts = []
    let size = 0
    const take = bytes => {
      if (size <= keep) parts.push(bytes)
      size += bytes.length
    }
    for (;;) {
      const end = this.#buffer.indexOf(CRLF)
      if (end >= 0) {
        take(this.#buffer.subarray(0, end))
        this.#buffer = this.#buffer.subarray(end + CRLF.length)
        return Buffer.concat(parts).subarray(0, keep)
      }
      // A CR at the end may be half of a line's end.
      const whole = this.#buffer.length - (this.#buffer.at(-1) === CRLF[0] ? 1 : 0)
      take(this.#buffer.subarray(0, whole))
      const { value, done } = await this.#chunks.next()
      if (done) return undefined
      this.#buffer = Buffer.concat([this.#buffer.subarray(whole), value])
    }
  }

  /**
   * A message up to the line with a single dot, the dots that were added before lines taken away again (RFC 5321, 4.5.2).
   * `undefined` at the end of the connection, `'too-large'` beyond `most` bytes, read to its end all the same.
   */
  async message(most) {
    const parts = []
    let size = 0
    for (;;) {
      const line = await this.line(most + 2)
      if (line === undefined) return undefined
      if (line.length === 1 && line[0] === DOT) break
      const bytes = line[0] === DOT ? line.subarray(1) : line
      size += bytes.length + CRLF.length
      if (size <= most) parts.push(bytes, CRLF)
    }
    return size > most ? 'too-large' : Buffer.concat(parts)
  }
}

const DOT = '.'.charCodeAt(0)
