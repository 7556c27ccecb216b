/** What JSON leaves as it is, and some readers take for the end of a line. */
const SEPARATORS = /[\x7f-\x9f\u2028\u2029]/g

/** JSON that is one line for every reader. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    SEPARATORS,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
