/** The digits of a blurhash, in the order of their values. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'

export function toBase83(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 83)) text = DIGITS[rest % 83] + text
  return text
}

/** NaN where `text` holds anything that is no digit. */
export function fromBase83(text: string): number {
  let value = 0
  for (const digit of text) {
    const at = DIGITS.indexOf(digit)
    value = value * 83 + (at < 0 ? Number.NaN : at)
  }
  return value
}
