/** Moves objects from any provider to any other: planned, verified, resumable. */
export type { CopySummary } from './copy/copy-range.ts'
export { openManifest } from './manifest/open-manifest.ts'
export type {
  Manifest,
  ManifestCounts,
  ManifestRow,
  ObjectState,
  RowRange,
  RowsOptions,
  VerifyStatus,
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
export { reportCombined } from './report/report-combined.ts'
export { type ReportHtmlOptions, reportHtml } from './report/report-html.ts'
export { reportJsonl } from './report/report-jsonl.ts'
export type { Steps } from './steps.ts'
export { type Stray, type StrayCounts, strays } from './verify/strays.ts'
export type { VerificationSummary } from './verify/verification-summary.ts'
