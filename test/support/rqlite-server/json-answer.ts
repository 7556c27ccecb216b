/** Writes JSON as Go's encoder does: exact integers, `1` for 1.0, base64 for bytes, `<` and the like escaped. */
import { isUtf8 } from 'node:buffer'
import { type Cell, Text } from './column-values.ts'

/** The whole answer becomes a 500 with this text. */
export class NotJson extends Error {
  constructor(value: number) {
    const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
    super(`json: error calling MarshalJSON for type *http.DBResults: json: unsupported value: ${name}`)
  }
}

const ESCAPED = new Map(
  [...'<>&\u2028\u2029'].map(sign => [sign, `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`]),
)

export function jsonString(value: string): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, sign => ESCAPED.get(sign) ?? sign)
}

/** Fields that are undefined are left out. */
export function jsonObject(fields: readonly (readonly [name: string, json: string | undefined])[]): string {
  const shown = fields.filter(([, json]) => json !== undefined)
  return `{${shown.map(([name, json]) => `${jsonString(name)}:${json}`).join(',')}}`
}

export const jsonArray = (items: readonly string[]): string => `[${items.join(',')}]`

/** @throws NotJson */
export function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new NotJson(value)
  return Object.is(value, -0) ? '-0' : String(value)
}

export function jsonCell(cell: Cell, blobsAsArrays: boolean): string {
  if (cell === null || typeof cell === 'boolean' || typeof cell === 'bigint') return String(cell)
  if (typeof cell === 'number') return jsonNumber(cell)
  if (cell instanceof Text) return jsonText(cell.bytes)
  return blobsAsArrays ? jsonArray([...cell].map(String)) : `"${cell.toString('base64')}"`
}

/** A U+FFFD that was stored is written as it is; one that stands for a bad byte is written as an escape. */
function jsonText(bytes: Buffer): string {
  if (isUtf8(bytes)) return jsonString(bytes.toString('utf8'))
  let json = ''
  let at = 0
  while (at < bytes.length) {
    const length = [1, 2, 3, 4].find(
      size => at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)),
    )
    json += length ? jsonString(bytes.toString('utf8', at, at + length)).slice(1, -1) : '\\ufffd'
    at += length ?? 1
  }
  return `"${json}"`
}

/** `?pretty`: four spaces, empty arrays and objects on one line. */
export function indented(json: string): string {
  let depth = 0
  const line = () => `\n${'    '.repeat(depth)}`
  return json.replace(/"(?:[^"\\]|\\.)*"|\[\]|\{\}|[[\]{},:]/g, token => {
    if (token === '[' || token === '{') {
      depth += 1
      return token + line()
    }
    if (token === ']' || token === '}') {
      depth -= 1
      return line() + token
    }
    if (token === ',') return token + line()
    return token === ':' ? ': ' : token
  })
}
