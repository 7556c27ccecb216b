import { type ErrorCode, StorageError } from '../core/errors.ts'

/** What scripts can tell apart. 75 is `EX_TEMPFAIL` of sysexits.h: the same command may succeed later. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  found: 6,
  stopped: 7,
  temporary: 75,
  interrupted: 130,
  brokenPipe: 141,
} as const

export const EXIT_HELP = `Exit codes:
  0    done
  1    failed
  2    wrong usage: arguments, options, URLs, keys
  3    not found
  4    denied, or not authenticated
  5    a condition did not hold, or something is there already
  6    audit, doctor or migrate found what needs a look
  7    stopped before removing anything: gc found too much, or a lifecycle policy would delete files with records
  75   failed for now: the same command may succeed later
  130  interrupted
  141  the reader of the output went away`

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  'not-found': EXIT.notFound,
  unauthenticated: EXIT.denied,
  'permission-denied': EXIT.denied,
  'already-exists': EXIT.conflict,
  'precondition-failed': EXIT.conflict,
  conflict: EXIT.conflict,
  'invalid-argument': EXIT.usage,
  'invalid-key': EXIT.usage,
}

/** The user asked for what makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** All has been told; what is left is to end with this code. */
export class Told extends Error {
  override readonly name: string = 'Told'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Some of many failed, and each has been told. */
export class SomeFailed extends Told {
  override readonly name = 'SomeFailed'

  constructor(failures: readonly Failure[]) {
    const codes = new Set(failures.map(failure => failure.exitCode))
    super(`${failures.length} failed`, codes.size === 1 ? failures[0]!.exitCode : EXIT.failed)
  }
}

/** A failure as it is told. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly key?: string
  readonly exitCode: number
}

/** What the file system of this machine calls its failures. */
const SYSTEM: Record<string, { code: ErrorCode; message: string }> = {
  ENOENT: { code: 'not-found', message: 'there is no such file' },
  ENOTDIR: { code: 'invalid-argument', message: 'a part of the path is no folder' },
  EISDIR: { code: 'invalid-argument', message: 'this is a folder' },
  EEXIST: { code: 'already-exists', message: 'there is a file of this name already' },
  EACCES: { code: 'permission-denied', message: 'the operating system denies it' },
  EPERM: { code: 'permission-denied', message: 'the operating system denies it' },
  ENOSPC: { code: 'unavailable', message: 'the disk is full' },
  EADDRINUSE: { code: 'conflict', message: 'another program listens on this port; choose one with --port' },
}

export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) return { code: 'usage', message: error.message, exitCode: EXIT.usage }
  if (error instanceof StorageError) {
    const { code, operation, key, retryable } = error
    const message = error.message.replace(`${operation}: `, '')
    const exitCode = BY_CODE[code] ?? (retryable ? EXIT.temporary : EXIT.failed)
    return { code, message, exitCode, ...(key === undefined ? {} : { key }) }
  }
  const { code, path, message } = error as NodeJS.ErrnoException
  const known = SYSTEM[code ?? '']
  if (known === undefined)
    return { code: 'internal', message: String(message ?? error), exitCode: EXIT.failed }
  return {
    code: known.code,
    message: known.message,
    exitCode: BY_CODE[known.code] ?? EXIT.failed,
    ...(path === undefined ? {} : { key: path }),
  }
}
