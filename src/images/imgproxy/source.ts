import { textToBase64Url } from './base64url.ts'
import { refusal } from './refusal.ts'

export interface SourceRules {
  readonly encoding: 'plain' | 'base64' | 'encrypted'
  readonly base64SplitSize: number
  readonly base64Padding: boolean
  readonly allowSignedSource: boolean
  readonly querySeparator: string
  readonly baseUrl: string
  /** Whether nothing in a `PLAIN_SOURCE` could mean something else to this server. */
  readonly usual: boolean
}

/** The usual case, which needs no closer look: nothing to escape, no query, a name for a host. */
const PLAIN_SOURCE =
  /^(?:https?:\/\/(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::\d{1,4})?\/|s3:\/\/[a-z0-9][a-z0-9.-]+\/(?!\/))[\w./~-]+$/
const BUCKET_SOURCE = /^(?:s3|gs|abs|swift):\/\/([^/]*)\/(.*)$/s
const BUCKET = /^[\w.-]+$/
/** What `new URL(…).href` can contain; Go refuses a `%` that two digits do not follow. */
const ESCAPED_URL = /^(?:[!#$&-;=?-Z[\]^_`a-z{|}~]|%[0-9a-f]{2})+$/i
const CONTROL = /[\u0000-\u001f\u007f]/
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/
/** AWS and those like it, Google, Supabase, CloudFront, this package's own server; Azure's `sig` is only told by its `se`. */
const SIGNED = /[?&](?:(?:[a-z]+(?:-|%2d))*signature|token)=|[?&]se=.*&sig=|[?&]sig=.*&se=/i

/** What the server is asked to fetch. @throws `invalid-argument` where it could not, or must not be shown */
export function checkedSource(source: string, rules: SourceRules): string {
  if (typeof source !== 'string') throw refusal('source must be a string')
  if (rules.usual && PLAIN_SOURCE.test(source)) return source
  if (source === '') throw refusal('source is empty')
  if (!source.isWellFormed()) throw refusal('source must be well-formed Unicode: it holds a lone surrogate')
  if (CONTROL.test(source)) throw refusal('source cannot hold control characters')
  const whole = absolute(source, rules.baseUrl)
  if (/^https?:/i.test(whole)) assertUrl(whole, rules)
  else assertKey(whole, rules.querySeparator)
  return source
}

function absolute(source: string, baseUrl: string): string {
  if (baseUrl === '' || source.startsWith(baseUrl)) return source
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source))
    throw refusal(
      'source must be relative or begin with sourceBaseUrl: the server puts that before all others',
    )
  return baseUrl + source
}

function assertUrl(source: string, rules: SourceRules): void {
  if (!ESCAPED_URL.test(source) || !URL.canParse(source) || !/^https?:\/\/[^/?#]/.test(source))
    throw refusal('an http source must be a valid, percent-encoded URL: pass new URL(text).href')
  if (!rules.allowSignedSource && rules.encoding !== 'encrypted' && SIGNED.test(source))
    throw refusal(
      'the source is a signed URL: everyone who sees the image URL could fetch the original with it, and the image ' +
        'URL changes whenever it is signed again. Use an s3:// source, or say allowSignedSource: true',
    )
}

function assertKey(source: string, separator: string): void {
  let key: string
  if (source.startsWith('local://')) {
    if (!source.startsWith('local:///')) throw refusal('a local source must begin with local:///')
    key = source.slice('local:///'.length)
    if (DOT_SEGMENT.test(key)) throw refusal("a local source cannot have '.' or '..' as a segment")
  } else {
    const parts = BUCKET_SOURCE.exec(source)
    if (parts === null)
      throw refusal(
        'source must be an http or https URL, s3://bucket/key, gs://…, abs://…, swift://… or local:///path',
      )
    if (!BUCKET.test(parts[1]!)) throw refusal('source must name a bucket: s3://bucket/key')
    key = parts[2]!
  }
  if (key === '') throw refusal('source must name a key behind the bucket')
  if (key.startsWith('/'))
    throw refusal('the key of a source cannot begin with a slash, which the server takes away')
  if (separator !== '' && key.includes(separator))
    throw refusal(
      `the server ends a key at '${separator}': set IMGPROXY_SOURCE_URL_QUERY_SEPARATOR there to nothing, and ` +
        "sourceQuerySeparator: '' here",
    )
}

/** Puts a checked source into a path, for `plain` and `base64`. */
export function encodedSource(source: string, rules: SourceRules): string {
  return rules.encoding === 'plain' ? encodeURIComponent(source) : splitBase64(textToBase64Url(source), rules)
}

/** base64url as the path has it: with its padding and its slashes, where they are wanted. */
export function splitBase64(base64: string, { base64SplitSize: size, base64Padding }: SourceRules): string {
  const text = base64Padding ? base64.padEnd(Math.ceil(base64.length / 4) * 4, '=') : base64
  if (size === 0) return text
  let path = text.slice(0, size)
  for (let at = size; at < text.length; at += size) path += `/${text.slice(at, at + size)}`
  return path
}
