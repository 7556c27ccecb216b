import { createHash } from 'node:crypto'
import type { ResumableRequest } from './driver.ts'

/**
 * 22 characters of what an upload in parts is begun with and can't be changed later: for tokens, so that one that was begun for
 * something else is known.
 */
export function uploadFingerprint({
  key,
  source,
  attributes,
}: Pick<ResumableRequest, 'key' | 'source' | 'attributes'>): string {
  const begun = JSON.stringify([key, source.size, sortedEntries(attributes)])
  return createHash('sha256').update(begun).digest('base64url').slice(0, 22)
}

function sortedEntries(values: object): [string, unknown][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, unknown] => [
      name,
      typeof value === 'object' ? sortedEntries(value) : value,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
