import { RESERVED } from './physical-key.ts'

/** Where a record set's marker lies: an object that says whose root this is. */
export function markerKey(root: string): string {
  return `${root}${RESERVED}record-set.json`
}
