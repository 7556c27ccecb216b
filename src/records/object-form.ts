import { markerKey } from './marker-key.ts'
import { RESERVED, uploadOf } from './physical-key.ts'

/**
 * What the key of an object says of it, where the database does not know it. `ours`: no other program names objects so,
 * or it lies in an area that is ours. `own-file`: ours, and no file: the marker, the folder of the root, and what a newer
 * version of the library may keep below `.stowage/`.
 */
export type ObjectForm = 'ours' | 'foreign' | 'own-file' | 'foreign-record-set'

/** Whether this may be the marker of any record set. */
export function isMarker(physical: string): boolean {
  return physical.endsWith(markerKey(''))
}

const AREAS = /^(?:staging|trash|quarantine)\//

export function formOf(root: string, physical: string): ObjectForm {
  if (physical === root) return 'own-file'
  const reserved = `${root}${RESERVED}`
  if (physical.startsWith(reserved)) return AREAS.test(physical.slice(reserved.length)) ? 'ours' : 'own-file'
  if (physical.endsWith(`/${markerKey('')}`)) return 'foreign-record-set'
  return uploadOf(physical) === undefined ? 'foreign' : 'ours'
}
