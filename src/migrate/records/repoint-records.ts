import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { AuditReport } from '../../records/audit.ts'
import { moveMet } from '../../records/meet-files.ts'
import { RecordSet } from '../../records/record-set.ts'
import type { RecordsOptions } from '../../records/records-options.ts'
import { tenantOf } from '../../records/tenant-id.ts'
import { existingTenant } from '../../records/tenants.ts'
import { withRecords } from '../../records/with-records.ts'
import type { Engine } from '../../sql/engine.ts'
import { migrate } from '../migrate.ts'
import type { MigrateOptions } from '../migrate-options.ts'
import type { MigrationResult, OnEvent } from '../migration-event.ts'
import { refreshRecords } from './refresh-records.ts'

export interface RepointOptions extends Pick<MigrateOptions, 'limits' | 'verify' | 'signal' | 'name'> {
  /** The store that holds the bytes now: the bare one, without records. */
  from: StorageProvider
  /** The store that will hold them, bare as well. */
  to: StorageProvider
  /** The database of the records. */
  records: Engine
  /** As the application opens them: tenant and root count. */
  recordsOptions?: RecordsOptions
  /** Where the state of the migration is kept; may be the same database. */
  manifest: Engine
  onEvent?: OnEvent
}

export interface RepointReport {
  readonly tenant: string
  readonly migration: MigrationResult
  /** Records whose etag or version was one of the old store. */
  readonly refreshed: number
  /** Of the records over the new store. */
  readonly audit: AuditReport
}

/**
 * Moves the bytes of files with records to another store; the records stay where they are and point to it from then on. Keys in
 * the bucket stay the same, trash, quarantine and marker included. Then each record is held against its bytes: by the checksum
 * that it has, and by an audit over the new store. Nothing is deleted in the old one.
 *
 * Nobody may write meanwhile: stop the application, or use `cutOver`, which moves files that are in use. When it has ended, open the same
 * records over the new store. A call that was killed goes on when it is made again.
 *
 * @throws `conflict` where not every object has arrived and matches, or the audit finds anything: then the records still belong to the
 *   old store, or calling it again refreshes them; `checksum-mismatch` where bytes are not those of their record
 * @example
 * ```ts
 * const state = sqlite({ path: './migration.db' })
 * const bucket = s3({ bucket: 'new' })
 * await repointRecords({ from: local({ root: './files' }), to: bucket, records: state, manifest: state })
 * const files = withRecords(bucket, state)
 * ```
 */
export async function repointRecords(options: RepointOptions): Promise<RepointReport> {
  assertFactoryOptions('repointRecords', options, {
    from: 'object',
    to: 'object',
    records: 'object',
    recordsOptions: 'object',
    manifest: 'object',
    name: 'string',
    limits: 'object',
    verify: 'string',
    signal: 'object',
    onEvent: 'function',
  })
  const { from, to, records, recordsOptions = {}, manifest, limits, verify, signal } = options
  const tenant = tenantOf(recordsOptions.tenant, recordsOptions.env)
  const { root } = await existingTenant(records, tenant, recordsOptions.now)
  const migration = migrate({
    from,
    to,
    manifest,
    name: options.name ?? `records-${tenant}`,
    prefix: root,
    rules: 'records',
    limits,
    verify,
    signal,
  })
  let result: MigrationResult | undefined
  for await (const event of migration) {
    await options.onEvent?.(event)
    if (event.kind === 'done') result = event.result
  }
  if (!result?.complete)
    throw refuse(`not all bytes of ${tenant} have arrived and match; the records were not changed`)
  const set = new RecordSet(to, records, recordsOptions, () => existingTenant(records, tenant))
  const refreshed = await refreshRecords(set, await migration.manifest(), signal)
  await moveMet(set)
  const audit = await withRecords(to, records, recordsOptions).audit({ signal })
  if (!audit.clean)
    throw refuse(
      `an audit of ${tenant} over the new store found ${audit.findings.length === 0 ? 'something' : JSON.stringify(audit.counts)}; does somebody still write to the old one?`,
    )
  return { tenant, migration: result, refreshed, audit }
}

function refuse(problem: string): StorageError {
  return new StorageError('conflict', `repointRecords: ${problem}`, {
    operation: 'repointRecords',
    retryable: false,
  })
}
