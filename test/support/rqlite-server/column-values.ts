/** How a value of SQLite comes out of rqlite: what the column's declared type makes of it. */

/** Text as bytes, because it may be no UTF-8: then every bad byte is told as U+FFFD. */
export class Text {
  constructor(readonly bytes: Buffer) {}
}

/** A number is a REAL. */
export type Cell = null | boolean | bigint | number | Text | Buffer

const TIME_TYPES = new Set(['date', 'datetime', 'timestamp'])
const TEXT_TYPE = /^(?:text|json|)$|^(?:varchar|varying character|nchar|native character|nvarchar|clob)/

/** Gives untyped columns the type that the first row's value has: it counts for all rows. */
export function typeOfCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'boolean') return 'boolean'
  if (typeof cell === 'bigint') return 'integer'
  if (typeof cell === 'number') return 'real'
  return cell instanceof Text ? 'text' : 'blob'
}

/** `type` is the declared one in lower case, empty for an expression or an untyped column. */
export function cellFor(value: Exclude<Cell, boolean>, declared: string, type: string): Cell {
  if (typeof value === 'bigint') {
    if (declared === 'boolean') return value > 0n
    return TIME_TYPES.has(declared) ? timeOfInteger(value) : value
  }
  if (value instanceof Text && TIME_TYPES.has(declared)) return timeOfText(value.bytes.toString('utf8'))
  if (Buffer.isBuffer(value) && TEXT_TYPE.test(type)) return new Text(value)
  return value
}

const text = (value: string) => new Text(Buffer.from(value))

/** Thirteen digits are milliseconds, fewer are seconds. */
function timeOfInteger(value: bigint): Text {
  const isMilliseconds = value > 1_000_000_000_000n || value < -1_000_000_000_000n
  const time = new Date(Number(value) * (isMilliseconds ? 1 : 1000))
  return text(Number.isNaN(time.getTime()) ? ZERO_TIME : time.toISOString().replace(/\.?0*Z$/, 'Z'))
}

const ZERO_TIME = '0001-01-01T00:00:00Z'
const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?([+-]\d\d:\d\d)?)?)?$/

function timeOfText(value: string): Text {
  const parts = TIME.exec(value.replace(/Z$/, ''))
  if (!parts) return text(ZERO_TIME)
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone] = parts
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  const isDate = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= daysInMonth
  if (!isDate || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return text(ZERO_TIME)
  const digits = fraction.slice(0, 9).replace(/0+$/, '')
  const offset = zone === undefined || /^[+-]00:00$/.test(zone) ? 'Z' : zone
  const clock = `${hour.padStart(2, '0')}:${minute}:${second}${digits ? `.${digits}` : ''}`
  return text(`${year}-${month}-${day}T${clock}${offset}`)
}
