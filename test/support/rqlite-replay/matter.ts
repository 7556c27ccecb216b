/** What of an answer is compared: everything but times, numbers that count requests, and random values. */
import type { RecordedAnswer } from './recordings.ts'
import type { Answer } from './stage.ts'

const HEADERS = ['content-type', 'location', 'www-authenticate', 'x-rqlite-served-by', 'x-rqlite-version']

const VOLATILE: [pattern: RegExp, mark: string][] = [
  [/"time": ?[\d.e-]+/g, '"time":<seconds>'],
  [/"time_s": ?"[^"]*"/g, '"time_s":<duration>'],
  [/"sequence_number":\d{19}/g, '"sequence_number":<number>'],
  [/"raft_index":[1-9]\d*/g, '"raft_index":<index>'],
  [/index [1-9]\d*: timeout/g, 'index <index>: timeout'],
  // The forwarding node's end of a connection.
  [/read tcp 127\.0\.0\.1:\d+-/g, 'read tcp <address>-'],
]

/** Recordings of random values and of the time: what a value looks like is compared. */
const RANDOM: [pattern: RegExp, mark: string][] = [
  [/-?\b\d{16,19}\b/g, '<random>'],
  [/\b2\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?/g, '<time>'],
  [/"2\d{3}"/g, '"<year>"'],
  [/\b1\d{9}\b/g, '<seconds>'],
  [/"[0-9A-F]{8}"/g, '"<bytes>"'],
]

/** Of `/status` the stand-in has what a client may use. */
const STATUS_FIELDS = ['num_peers', 'state', 'voter']

/** What SQLite 3.53, which was recorded, prints otherwise than 3.45, which the stand-in has. */
const NEWER_SQLITE: Record<string, [recorded: string, here: string]> = {
  // From 3.47 on a REAL becomes text with 17 digits, where there were 15.
  'int64-read': ['"9.2233720368547758e+18"', '"9.22337203685478e+18"'],
}

export function matter(name: string, answer: RecordedAnswer | Answer, text = answer.body): RecordedAnswer {
  let body = text
  const newer = NEWER_SQLITE[name]
  if (newer) body = body.replace(newer[0], newer[1])
  for (const [pattern, mark] of VOLATILE) body = body.replace(pattern, mark)
  if (name.startsWith('rewrite-read'))
    for (const [pattern, mark] of RANDOM) body = body.replace(pattern, mark)
  if (name === 'admin-GET-/status?key=store.raft') {
    const status = JSON.parse(body)
    const fields = STATUS_FIELDS.map(field => [field, status[field]])
    body = JSON.stringify([...fields, ['is up to date', status.applied_index === status.commit_index]])
  }
  if (name.startsWith('backup-')) body = described(answer)
  const headers = Object.entries(answer.headers).filter(([header]) => HEADERS.includes(header))
  return { status: answer.status, headers: Object.fromEntries(headers.sort()), body }
}

/** How a file begins; of a compressed one, its header. */
function described(answer: RecordedAnswer | Answer): string {
  const start =
    'bytes' in answer ? answer.bytes.toString('hex', 0, 16) : /starts (\w+)/.exec(answer.body)?.[1]
  return start?.startsWith('1f8b') ? start.slice(0, 20) : (start ?? 'nothing')
}
