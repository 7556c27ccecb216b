import { Refusal } from './refusal.js'

const MOST_BYTES = 16 * 1024
/** So much of what is too long is read and dropped, so that a client that still sends gets its answer. */
const MOST_DROPPED_BYTES = 1024 * 1024

/** The object that a request brings, read no further than it may be long. */
export async function jsonBody(request) {
  // A form of another site can't send this type without asking first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'unsupported-type', 'Send application/json.')
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= MOST_BYTES) chunks.push(chunk)
    else if (bytes > MOST_DROPPED_BYTES) break
  }
  if (bytes > MOST_BYTES) throw new Refusal(413, 'too-large', `Send at most ${MOST_BYTES} bytes.`)
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below.
  }
  throw new Refusal(400, 'invalid-json', 'Send a JSON object.')
}
