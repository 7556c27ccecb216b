/** What the engine needs of a connection to SQLite, whichever library gives it. */
import type { Row, SqlValue } from '../engine.ts'

export interface Connection {
  /** For messages: `node:sqlite`, `better-sqlite3`, `libsql`. */
  readonly driver: string
  /** Whether text comes back whole where it holds NUL. */
  readonly textHoldsNul: boolean
  prepare(sql: string): Prepared
  /**
   * Whether a statement that found the database held by another ends there. libsql leaves it begun, and then no
   * COMMIT is taken: writing statements must run inside a transaction, where none is held up.
   */
  readonly endsHeldStatements: boolean
  /** One statement without parameters or rows: BEGIN, COMMIT, PRAGMA. */
  exec(sql: string): void
  inTransaction(): boolean
  close(): void
}

export interface Prepared {
  /** Whether it gives rows. */
  readonly reader: boolean
  all(parameters: readonly SqlValue[]): Row[]
  /** Returns the rows changed, as the last INSERT, UPDATE or DELETE on the connection left it. */
  run(parameters: readonly SqlValue[]): number
}

/** The library that was asked for, or one that is there. */
export type DriverName = 'node:sqlite' | 'better-sqlite3' | 'libsql'

/** Bytes in an array of their own: no Buffer, and no view into memory that others use. */
export function plainBytes(bytes: ArrayBuffer | Uint8Array): Uint8Array {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes)
  const whole = bytes.byteLength === bytes.buffer.byteLength
  return whole && !Buffer.isBuffer(bytes)
    ? bytes
    : whole
      ? new Uint8Array(bytes.buffer)
      : new Uint8Array(bytes)
}
