import type { MigrationSettings } from '../plan/checked-settings.ts'

/** What copying needs of a migration's settings. */
export type CopySettings = Pick<
  MigrationSettings,
  | 'from'
  | 'to'
  | 'attributes'
  | 'storageClass'
  | 'transform'
  | 'existing'
  | 'limits'
  | 'signal'
  | 'now'
  | 'random'
  | 'sleep'
>

/** Bodies up to this many bytes are held whole: one GET, one PUT, and their checksum is known before they are sent. */
export const WHOLE_BYTES = 8 * 1024 * 1024
