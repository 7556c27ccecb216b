/** Sends a request byte for byte as it was recorded: `fetch` would tidy paths and headers. */
import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { WireAnswer } from './recordings.ts'

export interface Sent {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer | undefined
}

export function send(origin: string, sent: Sent): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const headers: Record<string, string> = { ...sent.headers }
    const chunked = headers['transfer-encoding'] === 'chunked'
    if (sent.body && !chunked) headers['content-length'] = String(sent.body.length)
    const { method, path } = sent
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const answered: Record<string, string> = {}
        for (const [name, value] of Object.entries(response.headers))
          answered[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: answered, body: bodyOf(text, answered) })
      })
    })
    request.on('error', reject)
    request.end(sent.body)
  })
}

function bodyOf(text: string, headers: Record<string, string>): unknown {
  if (text === '') return null
  return headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : text
}

interface Described {
  $bytes: number
  $md5?: string
  $head?: string
}

/** The bytes behind a description: one byte over and over, which the recorded MD5 confirms. */
export function describedBytes({ $bytes, $md5, $head }: Described): Buffer {
  const bytes = Buffer.alloc($bytes, $head ? Buffer.from($head, 'base64').subarray(0, 1) : 'x')
  if ($md5 && createHash('md5').update(bytes).digest('hex') !== $md5)
    throw new Error(`the recorded body is not ${$bytes} equal bytes`)
  return bytes
}

export function bodyBytes(body: unknown): Buffer | undefined {
  if (body === null || body === undefined) return undefined
  if (typeof body === 'string') return Buffer.from(body)
  if (typeof body === 'object' && '$bytes' in body) return describedBytes(body as Described)
  return Buffer.from(JSON.stringify(body))
}
