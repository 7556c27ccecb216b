import type { MigrationLimits } from '../../../src/migrate/migrate-options.ts'

const MIB = 2 ** 20

/** So low that the objects of a test are large ones, and so few at once that a life can end between two copies. */
export const MOVER_LIMITS: MigrationLimits = {
  maxConcurrency: 8,
  largeObjectBytes: 6 * MIB,
  partBytes: 5 * MIB,
}
