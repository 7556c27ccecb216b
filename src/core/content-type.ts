import { StorageError } from './errors.ts'

/** Bytes that are enough to know a type by: what the longest signature (tar, at 257) needs, and some text. */
export const SNIFF_BYTES = 4100
const FALLBACK = 'application/octet-stream'

/** type "/" subtype, then parameters (RFC 9110, section 8.3.1). */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:[ \t]*;[ \t]*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[^"\\\r\n]*"))*$/

/** Throws `invalid-argument` where `type` is no MIME type, or holds what could end a header line. */
export function assertContentType(
  type: unknown,
  operation: string,
  provider: string,
): asserts type is string {
  if (typeof type === 'string' && MEDIA_TYPE.test(type)) return
  throw new StorageError(
    'invalid-argument',
    `${operation}: contentType must be a MIME type such as image/png`,
    { operation, provider },
  )
}

/** The type that the key's extension stands for, or undefined. */
export async function typeOfName(key: string): Promise<string | undefined> {
  const dot = key.lastIndexOf('.')
  if (dot < 0 || key.indexOf('/', dot) >= 0) return undefined
  // Loaded late: its tables cost an importer of the contract some milliseconds that it may never need.
  const { default: mime } = await import('mime')
  return mime.getType(key.slice(dot + 1)) ?? undefined
}

/** The type of a body that begins with `first`: text by its words, else a known signature, else unknown bytes. */
export async function typeOfBytes(first: Uint8Array): Promise<string> {
  if (first.length === 0) return FALLBACK
  // Text goes first: some signatures are one letter long.
  const text = textType(first)
  if (text !== undefined) return text
  const { filetypeinfo } = await import('magic-bytes.js')
  const guesses = filetypeinfo(first.subarray(0, 512))
  return guesses.find(guess => guess.mime !== undefined && !isWeak(guess.typename, first))?.mime ?? FALLBACK
}

/** An MPEG transport stream is known by one byte, the letter G, which says too little; its packets repeat it. */
function isWeak(typename: string, first: Uint8Array): boolean {
  return typename === 'mpeg' && first[0] === 0x47 && (first.length <= 188 || first[188] !== 0x47)
}

/** Text is UTF-8 without control characters; markup is told by its first word, as browsers do (WHATWG MIME sniffing, 7.1). */
function textType(first: Uint8Array): string | undefined {
  let text: string
  try {
    // Streaming mode forgives a character that the sample cuts in two.
    text = new TextDecoder('utf-8', { fatal: true }).decode(first.subarray(0, SNIFF_BYTES), { stream: true })
  } catch {
    return undefined
  }
  if (/[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f]/.test(text)) return undefined
  const start = text
    .replace(/^\ufeff/, '')
    .trimStart()
    .slice(0, 64)
    .toLowerCase()
  if (/^(?:<!doctype html|<html|<head|<body|<script|<iframe)[\s>]/.test(start)) return 'text/html'
  if (/^<svg[\s/>]/.test(start)) return 'image/svg+xml'
  if (start.startsWith('%pdf-')) return 'application/pdf'
  if (start.startsWith('<?xml')) return /<svg[\s/>]/i.test(text) ? 'image/svg+xml' : 'application/xml'
  return 'text/plain'
}
