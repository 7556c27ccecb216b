/**
 * Headers are bytes; Node hands them over as one character a byte. Text outside ASCII travels as UTF-8, which is
 * also what a signature is computed over.
 */

const ASCII = /^[\x00-\x7f]*$/

export function toHeaderText(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** What others stored may be Latin-1, which is hardly ever valid UTF-8. */
export function fromHeaderText(header: string): string {
  if (ASCII.test(header)) return header
  const bytes = Buffer.from(header, 'latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return header
  }
}
