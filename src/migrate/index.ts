/** Moves objects from any provider to any other: planned, verified, resumable. */
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
export type { CopyProgress, MigrationEvent, MigrationResult } from './migration-event.ts'
export type { MigrationPlan, PlanRefusal, RefusalReason, RequestEstimate } from './migration-plan.ts'
