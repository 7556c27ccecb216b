/** Query parameters whose value lets the bearer in. */
const SECRET_PARAMETER =
  /([?&;\s"'](?:x-amz-[a-z-]+|awsaccesskeyid|signature|sig|token|apikey|api_key|access_token|secret|password)=)[^&\s"'<>]+/gi
/**
 * A JSON Web Token, as Supabase's keys are: three base64url parts, the first a JSON object. A long first part is
 * enough: to look for the second from everywhere in a text without one would take time in its square.
 */
const JSON_WEB_TOKEN = /\beyJ(?:[\w-]{33,}(?:\.[\w-]+)*|[\w-]{4,32}\.[\w-]+\.[\w-]+)/g
const AUTHORIZATION = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/g
const AWS_SIGNATURE = /\b(Credential|Signature)=[^\s,"']+/g
/** Supabase's newer keys. */
const SUPABASE_SECRET = /\bsb_secret_[\w-]+/g
/** Schemes are short; without that limit every dot of a long text would begin one. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]*:)[^\s@/]+@/gi

/** `text` without anything that would let its reader in: signatures, tokens, keys, passwords in URLs. */
export function redact(text: string): string {
  return text
    .replace(SECRET_PARAMETER, '$1[redacted]')
    .replace(JSON_WEB_TOKEN, '[redacted]')
    .replace(AUTHORIZATION, '$1 [redacted]')
    .replace(AWS_SIGNATURE, '$1=[redacted]')
    .replace(SUPABASE_SECRET, '[redacted]')
    .replace(URL_PASSWORD, '$1[redacted]@')
}

/** Causes deeper than this are left out; they may even go in a circle. */
const MAX_DEPTH = 10

/**
 * A copy of a thrown value that is safe to log. Vendors hang requests and responses, with their headers, on
 * the errors they throw, and `console.error` prints those too; name, message, code and stack are kept.
 */
export function redactError(thrown: unknown, depth = 0): unknown {
  if (typeof thrown === 'string') return redact(thrown)
  if (!(thrown instanceof Error)) return thrown === null || typeof thrown !== 'object' ? thrown : undefined
  if ('retryable' in thrown && thrown.name === 'StorageError') return thrown
  const copy = new Error(
    redact(thrown.message),
    thrown.cause === undefined || depth >= MAX_DEPTH
      ? undefined
      : { cause: redactError(thrown.cause, depth + 1) },
  )
  copy.name = thrown.name
  if (thrown.stack !== undefined) copy.stack = redact(thrown.stack)
  if ('code' in thrown) Object.assign(copy, { code: thrown.code })
  return copy
}
