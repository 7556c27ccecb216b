/** Files and their records as one: nothing is ever half there. */
export type { InvalidationResult, InvalidationTarget, Invalidator } from '../core/invalidator.ts'
export type {
  BatchOptions,
  BatchResult,
  ColumnTypes,
  Consistency,
  Engine,
  JoinedBatchOptions,
  JoinedTransaction,
  QueryOptions,
  Row,
  SqlValue,
  Statement,
  StatementResult,
} from '../sql/engine.ts'
export type { AdoptOptions, AdoptReport } from './adopt-files.ts'
export type { AuditOptions, AuditProgress, AuditReport } from './audit.ts'
export type { AuditFinding, FindingKind, RecordedBytes, StoredObject } from './audit-finding.ts'
export type { BackupContent, BackupTenant } from './backup/backup-content.ts'
export { type BackupOptions, backupRecords } from './backup/backup-records.ts'
export type { FileEngine, OpenFile } from './backup/file-engine.ts'
export { type BackupManifest, type BackupsOptions, listBackups } from './backup/manifest.ts'
export { raiseEpochs } from './backup/raise-epochs.ts'
export { type RestoreRecordsOptions, type RestoreReport, restoreRecords } from './backup/restore-records.ts'
export { type WatchOptions, watchBackups } from './backup/watch-backups.ts'
export type { CollectOptions, CollectReport } from './collect.ts'
export type { ByteCounts } from './compare-bytes.ts'
export type { FileDeletion } from './delete-files.ts'
export type { JobStatus, JobsOptions } from './doctor.ts'
export { type DropOptions, type DropReport, dropTenant } from './drop-tenant.ts'
export type { FindOptions } from './find-files.ts'
export type { InspectedFile, InspectOptions } from './inspect-sent.ts'
export type { JobKind } from './journal-row.ts'
export { type CopyRecordsOptions, copyTenantRecords } from './move/copy-tenant-records.ts'
export { type MoveOptions, type MoveReport, moveTenant } from './move/move-tenant.ts'
export type { JoinOptions } from './own-options.ts'
export type {
  PreparedUpload,
  PrepareFinalizeOptions,
  PrepareOptions,
  PublishOptions,
} from './prepared-uploads.ts'
export type { RecordedFiles } from './recorded-files.ts'
export type { JobName, RecordsEvent } from './records-event.ts'
export type { CdnOptions, RecordsOptions } from './records-options.ts'
export type { RecoverOptions, RecoverReport } from './recover.ts'
export { auditHtml } from './report-html.ts'
export { auditText, collectText } from './report-text.ts'
export type { DeletedFile, DeletedOptions, RestoreOptions } from './restore-file.ts'
export type { EveryOptions } from './run-every.ts'
export type { SignedFile } from './sign-files.ts'
export type { FinalizeOptions } from './stage-upload.ts'
export { tenantTable } from './tenant-id.ts'
export {
  createTenant,
  listTenants,
  type Tenant,
  type TenantOptions,
  type TenantState,
  type TenantStatus,
  tenantStatus,
} from './tenants.ts'
export { type Upgrade, type UpgradeContext, upgradeTables } from './upgrade-tables.ts'
export { withRecords } from './with-records.ts'
export type { Worker, WorkerOptions } from './worker.ts'
