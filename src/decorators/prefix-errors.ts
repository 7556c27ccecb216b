import { StorageError } from '../core/errors.ts'
import { encodeKey } from '../core/keys.ts'

/**
 * `error` as somebody may see it who knows nothing of the root: its key, message, and the messages of its causes
 * without it. `key` is the caller's key, without the root.
 */
export function withoutRoot(error: unknown, root: string, key?: string): unknown {
  if (!(error instanceof StorageError)) return error
  const shown = stripText(error.message, root)
  const causeShown = cleanCause(error.cause, root)
  const ownKey = error.key?.startsWith(root) ? error.key.slice(root.length) : (key ?? error.key)
  if (shown === error.message && causeShown === error.cause && ownKey === error.key) return error
  const { code, operation, provider, status, requestId, retryable, retryAfterMs, resource } = error
  return new StorageError(code, shown, {
    operation,
    provider,
    status,
    requestId,
    retryable,
    retryAfterMs,
    resource,
    key: ownKey,
    cause: causeShown,
  })
}

/** Clients wrap errors, some several times over. */
function cleanCause(cause: unknown, root: string, depth = 0): unknown {
  if (typeof cause === 'string') return stripText(cause, root)
  if (!(cause instanceof Error) || depth > 5) return depth > 5 ? undefined : cause
  const below = cleanCause(cause.cause, root, depth + 1)
  const message = stripText(cause.message, root)
  const stack = cause.stack && stripText(cause.stack, root)
  const keyed = cause instanceof StorageError && cause.key?.startsWith(root)
  if (message === cause.message && stack === cause.stack && below === cause.cause && !keyed) return cause
  const copy = new Error(message, below === undefined ? undefined : { cause: below })
  copy.name = cause.name
  if (stack !== undefined) copy.stack = stack
  if ('code' in cause) Object.assign(copy, { code: cause.code })
  return copy
}

/** `text` without the root, where it stands as the beginning of a key or as a folder in a path, encoded or not. */
function stripText(text: string, root: string): string {
  const folder = root.slice(0, -1)
  const forms = [...new Set([folder, encodeKey(folder), encodeURIComponent(folder)])].map(escapePattern)
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_.~-])(?:${forms.join('|')})(?:/|%2[Ff])|(?<=["'/])(?:${forms.join('|')})(?=["']|$)`,
    'gu',
  )
  return text.replace(pattern, '')
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
