import { LOST_ATTRIBUTES } from '../copy/copy-totals.ts'
import type { Manifest } from '../manifest.ts'

/** Names of attributes that the destination could not keep, each with the first key that had it: no status tells of them. */
export async function lostAttributes(manifest: Manifest): Promise<Readonly<Record<string, string>>> {
  return JSON.parse((await manifest.setting(LOST_ATTRIBUTES)) ?? '{}')
}
