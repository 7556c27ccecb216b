/**
 * What differs from run to run: ids, versions, times, tokens, upload URLs, ports.
 *
 * An answer is compared leaf by leaf with the recorded one. A volatile part that fits the recorded one is
 * replaced by it, so that what is left to compare is what matters, and a misfit shows in the diff as it came.
 */
import type { Claims } from '../supabase-server/json-web-token.ts'

const TOKEN = String.raw`eyJ[\w-]+\.eyJ[\w-]+\.<hs256-signature>`
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const ISO = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
const HTTP_DATE = String.raw`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT`
const UPLOAD_ID = String.raw`(?<=/upload/resumable/(?:sign/)?)[\w-]{20,}`
const HOST = 'http://<host>'
const CURSOR = '^bDp[A-Za-z0-9+/=]+$'
const MULTIPART_ID = '^NTBkYzAy[A-Za-z0-9]+$'

const KINDS: [pattern: string, answered: string][] = [
  [TOKEN, String.raw`eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{43}`],
  [UUID, UUID],
  [ISO, ISO],
  [HTTP_DATE, HTTP_DATE],
  [UPLOAD_ID, String.raw`[\w-]{20,}`],
  [HOST, String.raw`http://127\.0\.0\.1:\d+`],
  [CURSOR, 'bDp[A-Za-z0-9+/=]+'],
  [MULTIPART_ID, String.raw`[\w=-]{16,}`],
]
const ANY_VOLATILE = new RegExp(KINDS.map(([pattern]) => `(${pattern})`).join('|'), 'g')

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
const claimsIn = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
const withoutTime = (claims: Claims) =>
  JSON.stringify({ ...claims, iat: 0, exp: Number(claims.exp) - Number(claims.iat) })

export class Volatile {
  private readonly answeredBy = new Map<string, string>()
  private readonly recordedBy = new Map<string, string>()

  constructor(
    private readonly known: Record<string, string>,
    private readonly sign: (claims: Claims) => string,
  ) {}

  /** The recorded text as it has to be sent here: keys, tokens and upload ids of this run in place. */
  fill(text: string): string {
    const keys = text.replace(/<(?:service|anon|user)-key>/g, name => this.known[name] ?? name)
    return keys
      .replace(new RegExp(TOKEN, 'g'), token => this.answeredBy.get(token) ?? this.sign(claimsIn(token)))
      .replace(new RegExp(UPLOAD_ID, 'g'), id => this.answeredBy.get(id) ?? id)
      .replace(new RegExp(MULTIPART_ID, 'g'), id => this.answeredBy.get(id) ?? id)
  }

  fillAll(value: unknown): unknown {
    if (typeof value === 'string') return this.fill(value)
    if (Array.isArray(value)) return value.map(item => this.fillAll(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fillAll(item)]))
  }

  /** Binds a recorded id to the one of this run, where the answer that told it was not recorded. */
  bind(recorded: string, answered: string): boolean {
    const known = this.answeredBy.get(recorded)
    const other = this.recordedBy.get(answered)
    if (known !== undefined || other !== undefined) return known === answered && other === recorded
    this.answeredBy.set(recorded, answered)
    this.recordedBy.set(answered, recorded)
    return true
  }

  /** The answer with every part that fits its recorded counterpart replaced by it. */
  restore(recorded: unknown, answered: unknown): unknown {
    if (typeof recorded === 'string' && typeof answered === 'string')
      return this.fits(recorded, answered) ? recorded : answered
    if (Array.isArray(recorded) && Array.isArray(answered))
      return answered.map((item, index) => this.restore(recorded[index], item))
    if (!isRecord(recorded) || !isRecord(answered)) return answered
    const restored = Object.entries(answered).map(([key, item]) => [key, this.restore(recorded[key], item)])
    return agreeOnTimes(recorded, answered) ? Object.fromEntries(restored) : answered
  }

  private fits(recorded: string, answered: string): boolean {
    if (recorded === answered) return true
    const parts: { kind: number; text: string }[] = []
    let pattern = '^'
    let at = 0
    for (const match of recorded.matchAll(ANY_VOLATILE)) {
      const kind = match.slice(1).findIndex(group => group !== undefined)
      parts.push({ kind, text: match[0] })
      pattern += `${escaped(recorded.slice(at, match.index))}(${KINDS[kind]?.[1]})`
      at = match.index + match[0].length
    }
    const found = new RegExp(`${pattern}${escaped(recorded.slice(at))}$`).exec(answered)
    return found !== null && parts.every((part, index) => this.partFits(part, found[index + 1] ?? ''))
  }

  private partFits({ kind, text }: { kind: number; text: string }, answered: string): boolean {
    switch (KINDS[kind]?.[0]) {
      case UUID:
      case MULTIPART_ID:
        return this.bind(text, answered)
      case TOKEN:
        this.answeredBy.set(text, answered)
        return withoutTime(claimsIn(text)) === withoutTime(claimsIn(answered))
      case ISO:
        return text.endsWith('.000Z') === answered.endsWith('.000Z')
      case UPLOAD_ID:
        return (
          this.bind(text, answered) && this.fits(decoded(text, 'base64url'), decoded(answered, 'base64url'))
        )
      case CURSOR:
        return this.fits(decoded(text, 'base64'), decoded(answered, 'base64'))
      default:
        return true
    }
  }
}

const decoded = (text: string, encoding: 'base64' | 'base64url') =>
  Buffer.from(text, encoding).toString('utf8')

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TIMES = ['created_at', 'updated_at', 'last_modified', 'last_accessed_at']

/** Times that are equal in one recorded row are equal here, and the others are not. */
function agreeOnTimes(recorded: Record<string, unknown>, answered: Record<string, unknown>): boolean {
  return TIMES.every(one =>
    TIMES.every(
      other =>
        recorded[one] === undefined ||
        recorded[other] === undefined ||
        (recorded[one] === recorded[other]) === (answered[one] === answered[other]),
    ),
  )
}
