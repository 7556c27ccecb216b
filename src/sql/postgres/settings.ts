/** Settings that hold for one transaction. https://www.postgresql.org/docs/current/functions-admin.html */
import type { PgStatement } from './pg-statement.ts'
import { asking } from './session.ts'

export interface TransactionSettings {
  readonly schema: string | undefined
  readonly timeoutMs: number | undefined
  readonly lockWaitMs?: number | undefined
  readonly durable: boolean
}

/** None, or one statement. */
export function settingsStatement({
  schema,
  timeoutMs,
  lockWaitMs,
  durable,
}: TransactionSettings): PgStatement[] {
  const settings: string[] = []
  const parameters: string[] = []
  if (timeoutMs !== undefined) {
    settings.push("set_config('statement_timeout', ?, true)")
    parameters.push(String(Math.ceil(timeoutMs)))
  }
  if (lockWaitMs !== undefined) {
    settings.push("set_config('lock_timeout', ?, true)")
    parameters.push(String(Math.ceil(lockWaitMs)))
  }
  if (durable) settings.push(DURABLE)
  if (schema !== undefined) {
    settings.push(ENTER_SCHEMA)
    parameters.push(quoted(schema))
  }
  return settings.length === 0 ? [] : [asking(`SELECT ${named(settings)}`, ...parameters)]
}

/** `on`: on this server's disk and its synchronous standbys'. What waits for more (`remote_apply`) stays. */
const DURABLE =
  "set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' ELSE current_setting('synchronous_commit') END, true)"

/** That schema only: a table that is missing in it must not be found, or made, in another. */
const ENTER_SCHEMA = "set_config('search_path', ?, true)"

/** For a transaction of the caller's, in which names mean afterwards what they meant before. */
export function enterSchema(schema: string | undefined): PgStatement[] {
  if (schema === undefined) return []
  const keep = "set_config('stowage.search_path', current_setting('search_path'), true)"
  return [asking(`SELECT ${named([keep, ENTER_SCHEMA])}`, quoted(schema))]
}

export function leaveSchema(schema: string | undefined): PgStatement[] {
  if (schema === undefined) return []
  return [asking("SELECT set_config('search_path', current_setting('stowage.search_path'), true)")]
}

/** Names of their own: a row is an object. */
function named(settings: readonly string[]): string {
  return settings.map((setting, index) => `${setting} AS setting_${index}`).join(', ')
}

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
