/**
 * User metadata as header values, the same on every server. What a header line can't carry unchanged is written as
 * RFC 2047 encoded words, and so is text that would be read as one.
 */

/** Survives header parsing and signing as it is: printable ASCII that neither begins nor ends with a space. */
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/
const ENCODED_WORD = /=\?([\w-]+)\?([bq])\?([^?\s]*)\?=/gi
/** The space between two encoded words is no part of the text (RFC 2047, section 6.2). */
const BETWEEN_WORDS = /(=\?[\w-]+\?[bq]\?[^?\s]*\?=)\s+(?==\?[\w-]+\?[bq]\?[^?\s]*\?=)/gi
/** Base64 of 45 bytes is 60 characters: with its frame a word stays below the 75 that RFC 2047 allows. */
const WORD_BYTES = 45

export function encodeMetadataValue(value: string): string {
  if (PLAIN.test(value) && !value.includes('=?')) return value
  const words: string[] = []
  let word = ''
  let bytes = 0
  const flush = () => words.push(`=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`)
  for (const char of value) {
    const size = Buffer.byteLength(char)
    if (bytes + size > WORD_BYTES) {
      flush()
      word = ''
      bytes = 0
    }
    word += char
    bytes += size
  }
  flush()
  return words.join(' ')
}

export function decodeMetadataValue(value: string): string {
  if (!value.includes('=?')) return value
  return value
    .replace(BETWEEN_WORDS, '$1')
    .replace(ENCODED_WORD, (whole, charset: string, encoding: string, text: string) => {
      const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : fromQ(text)
      const decoder = decoderOf(charset)
      return decoder === undefined ? whole : decoder.decode(bytes)
    })
}

function fromQ(text: string): Buffer {
  const raw = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(raw, 'latin1')
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(charset)
  } catch {
    return undefined
  }
}
