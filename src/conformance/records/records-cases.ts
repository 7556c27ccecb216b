import { AUDIT_CASES } from './audits.ts'
import { CRASH_CASES } from './crashes.ts'
import { ONCE_CASES } from './once.ts'
import type { RecordsCase } from './records-conformance-context.ts'
import { TENANT_CASES } from './tenants.ts'

/** Every case of records. */
export const RECORDS_CASES: readonly RecordsCase[] = [
  ...CRASH_CASES,
  ...ONCE_CASES,
  ...AUDIT_CASES,
  ...TENANT_CASES,
]
