import { operationsTable } from '../engine.ts'
import { takeLocks } from './advisory-locks.ts'
import type { PgStatement } from './pg-statement.ts'
import { plain } from './session.ts'
import { quoted } from './settings.ts'
import { TYPES } from './values.ts'

/** `CREATE … IF NOT EXISTS` fails for one of two that run it at once; the lock lets one wait for the other. */
export function createOperations(schema: string | undefined): PgStatement[] {
  return [
    takeLocks(['stowage_operations']),
    ...(schema === undefined ? [] : [plain(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`)]),
    plain(operationsTable(TYPES)),
  ]
}
