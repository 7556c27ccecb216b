/** Plays a recorded HTTP exchange. */
import type { Recording, WireAnswer, WireRequest } from './recordings.ts'
import type { Stage } from './stage.ts'
import { bodyBytes, type Sent, send } from './wire.ts'

/** Recordings whose token was altered before it was sent, which the redaction hides. */
const SPOILED_TOKEN: ReadonlySet<string> = new Set(['auth.badsig.upload', 'uploadsign.put.tampered'])

const spoil = (text: string) =>
  text.replace(/(eyJ[\w-]+\.eyJ[\w-]+\.)([\w-])/, (_, claims, first) => claims + (first === 'A' ? 'B' : 'A'))

export async function playWire(
  stage: Stage,
  recording: Recording,
  request: WireRequest,
): Promise<WireAnswer> {
  return await send(stage.url, sentBy(stage, recording, request))
}

export function sentBy(stage: Stage, recording: Recording, request: WireRequest): Sent {
  const spoiled = SPOILED_TOKEN.has(recording.name) ? spoil : (text: string) => text
  const headers = request.headers ?? { ...stage.serviceHeaders, 'content-type': 'application/json' }
  return {
    method: request.method,
    path: spoiled(stage.volatile.fill(longKey(request.path))),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, spoiled(stage.volatile.fill(value))]),
    ),
    body: bodyBytes(expanded(stage.volatile.fillAll(request.body))),
  }
}

/** `<900 chars, segments of 49>` stands for the key itself. */
export function longKey(path: string): string {
  return path
    .replace(/<(\d+) chars, segments of 49>/, (_, length) => {
      const key = `${'k'.repeat(49)}/`.repeat(Math.ceil(Number(length) / 50)).slice(0, Number(length))
      return key.replace(/\/$/, 'e')
    })
    .replace('<one 256 char segment>', 's'.repeat(256))
}

const MANY = { prefixes: '$count', paths: '$repeat' } as const

/** `{"$count": 1000}` and `{"$repeat": "1001 strings"}` stand for as many names. */
function expanded(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const full: Record<string, unknown> = { ...body }
  for (const [field, mark] of Object.entries(MANY)) {
    const value = full[field] as Record<string, unknown> | undefined
    const count = Number.parseInt(String(value?.[mark] ?? ''), 10)
    if (Number.isNaN(count)) continue
    const folder = value?.note === 'all present' ? 'present' : 'absent'
    full[field] = Array.from({ length: count }, (_, index) => `${folder}/${index}`)
  }
  return Array.isArray(body) ? body : full
}

const IGNORED: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'connection',
  'date',
  'keep-alive',
  'transfer-encoding',
  'vary',
  'x-request-id',
])

/** Everything that a recorded answer says, and nothing that the transport adds. */
export function matter(answer: WireAnswer): WireAnswer {
  const headers = Object.entries(answer.headers).filter(([name]) => !IGNORED.has(name))
  return { status: answer.status, headers: Object.fromEntries(headers), body: answer.body }
}
