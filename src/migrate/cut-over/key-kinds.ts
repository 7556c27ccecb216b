import { isMarker } from '../../records/object-form.ts'

const STAGING = /(?:^|\/)\.stowage\/staging\//

/** Sent by a browser to one side, and taken from there when it is finalized: never copied to the other. */
export function isStaging(key: string): boolean {
  return STAGING.test(key)
}

/** The only object of a record set that is ever written over: its marker. All others are written once. */
export function isMutable(key: string): boolean {
  return isMarker(key)
}
