import type { ColumnTypes } from '../engine.ts'

/**
 * `FLOAT64_BLOB` has SQLite's affinity BLOB and so keeps each number as it came. A column of SQLite's own REAL stores
 * whole numbers as integers and makes 0.0 of -0.0: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
 */
export const COLUMN_TYPES: ColumnTypes = {
  integer: 'INTEGER',
  real: 'FLOAT64_BLOB',
  text: 'TEXT',
  blob: 'BLOB',
}
