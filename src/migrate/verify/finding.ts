import { type ErrorCode, isStorageError, StorageError } from '../../core/errors.ts'
import type { VerifyStatus } from '../manifest.ts'

/** What was found of one object, and what a person should know of it. */
export interface Finding {
  readonly status: VerifyStatus
  readonly code?: string
  readonly message?: string
}

export const MATCH: Finding = { status: 'match' }

export function differ(message: string): Finding {
  return { status: 'differ', code: 'differ', message }
}

/** The code of what `otherBytes` finds. */
export const OTHER_BYTES = 'checksum-mismatch'

/** The same of the source: a copy of it would be no better. */
export const OTHER_SOURCE_BYTES = 'source-checksum-mismatch'

/** Nothing but a checksum has told it, so nothing less can take it back. */
export function otherBytes(message: string): Finding {
  return { status: 'differ', code: OTHER_BYTES, message }
}

export function otherSourceBytes(message: string): Finding {
  return { status: 'differ', code: OTHER_SOURCE_BYTES, message }
}

export function unverified(message: string): Finding {
  return { status: 'unverified', code: 'unverified', message }
}

export const MISSING_DESTINATION: Finding = {
  status: 'missing-destination',
  code: 'not-found',
  message: 'nothing is there at the destination',
}

export const MISSING_SOURCE: Finding = {
  status: 'missing-source',
  code: 'not-found',
  message: 'nothing is there any more at the source',
}

export const CHANGED_AT_SOURCE = differ('the source has changed since it was copied')

export const REPLACED = differ('the destination has another object in its place than was written')

/** An object that could not be looked at. */
export function failing({ code, message }: { code: ErrorCode; message: string }): Finding {
  return { status: 'error', code, message }
}

/** What a store's error says of one object; undefined where it says something of the whole store. */
export function findingOf(error: unknown): Finding | undefined {
  if (!(error instanceof StorageError)) return undefined
  if (error.code === 'aborted' || error.code === 'unauthenticated' || error.code === 'invalid-argument')
    return undefined
  return failing(error)
}

/** A missing bucket is no missing object. */
export function isObjectMissing(error: unknown): boolean {
  return isStorageError(error, 'not-found') && error.resource === undefined
}
