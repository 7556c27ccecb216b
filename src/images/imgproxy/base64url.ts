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

function urlSafe(base64: string): string {
  return base64.replace(/[+/=]/g, character => (character === '+' ? '-' : character === '/' ? '_' : ''))
}
