import { createHash } from 'node:crypto'
import type { Engine, Row, SqlValue } from '../../sql/engine.ts'
import { pagesOf } from './tenant-tables.ts'

/** What two tables have in common if and only if they hold the same rows, in whatever order. */
export interface TableSum {
  readonly rows: number
  readonly sum: string
}

const MODULUS = 2n ** 256n

/** Reads all rows of a table. Types count: 1 is not 1.0, 0.0 is not -0.0, text is not bytes. */
export async function sumOf(engine: Engine, table: string): Promise<TableSum> {
  let rows = 0
  let sum = 0n
  for await (const page of pagesOf(engine, table)) {
    rows += page.length
    // A sum, and not an exclusive or: two equal rows must not vanish.
    for (const row of page) sum = (sum + rowHash(row)) % MODULUS
  }
  return { rows, sum: sum.toString(16) }
}

function rowHash(row: Row): bigint {
  const hash = createHash('sha256')
  for (const name of Object.keys(row).sort()) {
    const bytes = encoded(row[name]!)
    hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  }
  return BigInt(`0x${hash.digest('hex')}`)
}

function encoded(value: SqlValue): Buffer {
  if (value === null) return Buffer.from('n')
  if (typeof value === 'string') return Buffer.from(`t${value}`)
  if (typeof value === 'bigint') return Buffer.from(`i${value}`)
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, 'r')
    bytes.writeDoubleBE(value, 1)
    return bytes
  }
  return Buffer.concat([Buffer.from('b'), value])
}
