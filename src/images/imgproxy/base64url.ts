/** base64url without Node's Buffer: the builder also runs where there is none. */

const encoder = new TextEncoder()
/** Arguments of one call: more would overflow the stack. */
const CHUNK = 8192
const ASCII = /^[\0-\x7f]*$/

export function bytesToBase64Url(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return urlSafe(btoa(binary))
}

/** Of the text's UTF-8. */
export function textToBase64Url(text: string): string {
  return ASCII.test(text) ? urlSafe(btoa(text)) : bytesToBase64Url(encoder.encode(text))
}

/** Most texts have neither of the two characters: looking first takes a third of the time of replacing. */
function urlSafe(base64: string): string {
  const text = base64.endsWith('=') ? base64.slice(0, base64.endsWith('==') ? -2 : -1) : base64
  return /[+/]/.test(text) ? text.replaceAll('+', '-').replaceAll('/', '_') : text
}
