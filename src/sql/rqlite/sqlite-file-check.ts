import { StorageError } from '../../core/errors.ts'

const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100

/**
 * Checks a SQLite file as it passes by: an error after the first byte of an answer can't change its status any more.
 * What the header says of the file's length must be what came: https://www.sqlite.org/fileformat2.html#the_database_header
 */
export class SqliteFileCheck {
  private readonly operation: string
  private header = Buffer.alloc(0)
  private size = 0

  constructor(operation: string) {
    this.operation = operation
  }

  /** @throws `checksum-mismatch` for what does not begin as a SQLite file */
  take(chunk: Uint8Array): void {
    this.size += chunk.length
    if (this.header.length >= HEADER_BYTES) return
    this.header = Buffer.concat([this.header, chunk.subarray(0, HEADER_BYTES - this.header.length)])
    const begun = Math.min(this.header.length, MAGIC.length)
    if (this.header.toString('latin1', 0, begun) !== MAGIC.slice(0, begun))
      throw this.refuse('this is no SQLite file')
  }

  /** @throws `checksum-mismatch` for a file that is not whole */
  end(): void {
    if (this.header.length < HEADER_BYTES) throw this.refuse('this is no SQLite file')
    const { header } = this
    const page = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
    const pages = header.readUInt32BE(28)
    // Old libraries don't keep the count; then only whole pages can be asked for.
    const isCounted = pages > 0 && header.readUInt32BE(24) === header.readUInt32BE(92)
    if (isCounted ? this.size !== page * pages : this.size % page !== 0)
      throw this.refuse(
        `the file is not whole: ${this.size} bytes came${isCounted ? ` of ${page * pages}` : ''}`,
      )
  }

  private refuse(problem: string): StorageError {
    return new StorageError('checksum-mismatch', `${this.operation}: ${problem}`, {
      operation: this.operation,
      provider: 'rqlite',
    })
  }
}
