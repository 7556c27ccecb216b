import { locationOf } from '../../core/location.ts'
import type { Connection } from './connection.ts'
import type { Settings } from './options.ts'

/**
 * Project and bucket; how keys are written there; and through whose eyes, where row policies may hide objects from
 * the credential: what one user may see, another user's provider must not be taken to see.
 */
export function bucketLocation({ storageUrl, viewer }: Connection, settings: Settings): string {
  const { bucket, escapeKeys } = settings
  const { host, pathname } = new URL(storageUrl)
  return locationOf('supabase', [
    host + pathname,
    bucket,
    ...(escapeKeys ? ['escape'] : []),
    ...(viewer === undefined ? [] : [`as=${viewer}`]),
  ])
}
