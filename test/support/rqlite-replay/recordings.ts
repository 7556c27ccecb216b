/** What a real cluster answered, in the order in which it was asked. */
import { readFileSync } from 'node:fs'
import { inOrder } from '../in-order.ts'

export interface Recording {
  name: string
  request: {
    method: string
    path: string
    /** `http://127.0.0.1:4101`, `:4111` and `:4121` for the three nodes. */
    base: string
    headers: Record<string, string>
    body?: string
  }
  response: RecordedAnswer
  note?: string
}

export interface RecordedAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

const FIXTURE = new URL('../../fixtures/rqlite.json', import.meta.url)

/**
 * Recordings that stand at the end of the file and were made earlier: each is played right before the one on
 * its right.
 */
const MADE_EARLIER: [name: string, before: string][] = [
  ['query-get', 'query-post-batch'],
  ['types-read', 'types-read-associative'],
  ['err-unique', 'err-pk'],
  ['err-malformed-json', 'err-json-object'],
  ['tx-request-syntax-error-DOES-NOT-ABORT', 'tx-request-unknown-table-DOES-NOT-ABORT'],
  ['tx-create-table-then-use-in-one-execute', 'tx-ddl-rolls-back'],
  ['redirect-execute-on-follower', 'redirect-query-get-on-follower'],
  ['admin-GET-/readyz', 'admin-GET-/readyz?noleader'],
]

export function recordingsInOrder(): Recording[] {
  return inOrder<Recording>(JSON.parse(readFileSync(FIXTURE, 'utf8')), MADE_EARLIER)
}
