import type { Row, SqlValue, StatementResult } from '../engine.ts'
import type { PgStatement } from './pg-statement.ts'
import { decodeText } from './values.ts'

/** The part of pg's `Connection` that its own and others' query classes (pg-cursor, pg-query-stream) use. */
export interface PgWire {
  readonly stream: { cork?(): void; uncork?(): void }
  parse(message: { text: string }): void
  bind(message: { values: unknown[] }): void
  describe(message: { type: 'P'; name: string }): void
  execute(message: object): void
  sync(): void
}

/**
 * Several statements in one round trip, as a query class that `client.query` takes. All are sent before the first
 * answer, with one Sync at their end: the server skips what follows a failure.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class PgFlight {
  readonly #statements: readonly PgStatement[]
  readonly #results: StatementResult[] = []
  #columns: readonly { name: string; dataTypeID: number }[] = []
  #rows: Row[] = []
  /** pg replaces it by one that also ends the timer of its `query_timeout`. */
  callback: (error: unknown, results?: readonly StatementResult[]) => void = () => {}
  readonly ended: Promise<readonly StatementResult[]>

  constructor(statements: readonly PgStatement[]) {
    this.#statements = statements
    this.ended = new Promise((resolve, reject) => {
      this.callback = (error, results) => (results === undefined ? reject(error) : resolve(results))
    })
  }

  submit(connection: PgWire): void {
    connection.stream.cork?.()
    try {
      for (const { sql, parameters } of this.#statements) {
        connection.parse({ text: sql })
        connection.bind({ values: parameters.map(wireValue) })
        connection.describe({ type: 'P', name: '' })
        connection.execute({})
      }
    } catch (error) {
      this.callback(error)
    } finally {
      connection.sync()
      connection.stream.uncork?.()
    }
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#columns = fields
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const row: Record<string, SqlValue> = {}
    this.#columns.forEach(({ name, dataTypeID }, index) => {
      const text = fields[index] ?? null
      row[name] = text === null ? null : decodeText(dataTypeID, text)
    })
    this.#rows.push(row)
  }

  /** `text`: `INSERT 0 2`, `UPDATE 1`, `SELECT 3`. */
  handleCommandComplete({ text }: { text: string }): void {
    const { kind } = this.#statements[this.#results.length]!
    const changes = kind === 'write' ? Number(/\d+$/.exec(text)?.[0] ?? 0) : 0
    this.#results.push({ changes, rows: this.#rows })
    this.#columns = []
    this.#rows = []
  }

  handleEmptyQuery(): void {
    this.#results.push({ changes: 0, rows: [] })
  }

  handlePortalSuspended(): void {}

  handleError(error: unknown): void {
    this.callback(error)
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#results)
  }
}

/** pg's writer takes text, and a Buffer as binary. */
function wireValue(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
