/** Moves objects from any provider to any other: planned, verified, resumable. */
export {
  type AttributeRules,
  type ByEnding,
  parseByEnding,
  rewriteAttributes,
} from './attributes/rewrite-attributes.ts'
export type { CopySummary } from './copy/copy-range.ts'
export type { BackfillOptions, BackfillReport } from './cut-over/backfill.ts'
export { type CutOver, cutOver } from './cut-over/cut-over.ts'
export type { CutOverEvent } from './cut-over/cut-over-event.ts'
export type { CompareReadsOptions, CutOverOptions } from './cut-over/cut-over-options.ts'
export type { CutOverWorker, CutOverWorkerOptions } from './cut-over/cut-over-worker.ts'
export type { DropSourceOptions, DropSourceReport } from './cut-over/drop-source.ts'
export type { CutOverPhase, Side } from './cut-over/phase.ts'
export type { ReadDifference } from './cut-over/read-difference.ts'
export type { SettleReport } from './cut-over/settle.ts'
export type { CutOverStatus } from './cut-over/status.ts'
export type { CutOverVerification, VerificationProblem } from './cut-over/verification.ts'
export type { VerifySidesOptions } from './cut-over/verify-sides.ts'
export {
  type JobCounts,
  type MigrationJobs,
  type MigrationJobsOptions,
  migrationJobs,
  type WorkOptions,
} from './jobs/migration-jobs.ts'
export { type RunOnWorkersOptions, runOnWorkers } from './jobs/run-on-workers.ts'
export type { WorkReport } from './jobs/work-on.ts'
export { type KeyRule, keyRules } from './keys/key-rules.ts'
export { parseKeyRule } from './keys/parse-key-rule.ts'
export { type ManifestOptions, openManifest } from './manifest/open-manifest.ts'
export type {
  DestinationOrder,
  Manifest,
  ManifestCounts,
  ManifestRow,
  ObjectState,
  Occupant,
  RowChange,
  RowRange,
  RowsOptions,
  VerifyStatus,
  Workload,
} from './manifest.ts'
export {
  type Migration,
  type MigrationStatus,
  migrate,
  type RangeOptions,
  type StepOptions,
} from './migrate.ts'
export type {
  AttributeRewrite,
  BodyTransform,
  ExistingObjects,
  KeyConversion,
  KeyFilter,
  MigrateOptions,
  MigrationLimits,
  ObjectFilters,
  SourceObject,
  VerifyLevel,
} from './migrate-options.ts'
export type { CopyProgress, MigrationEvent, MigrationResult, OnEvent } from './migration-event.ts'
export type { MigrationPlan, PlanRefusal, RefusalReason, RequestEstimate } from './migration-plan.ts'
export { SUPABASE_PRO } from './plan/migration-prices.ts'
export { type RepointOptions, type RepointReport, repointRecords } from './records/repoint-records.ts'
export { reportCombined } from './report/report-combined.ts'
export { type ReportHtmlOptions, reportHtml } from './report/report-html.ts'
export { reportJsonl } from './report/report-jsonl.ts'
export type { Steps } from './steps.ts'
export { type Stray, type StrayCounts, strays } from './verify/strays.ts'
export type { VerificationSummary } from './verify/verification-summary.ts'
