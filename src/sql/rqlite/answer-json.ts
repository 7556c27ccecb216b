/**
 * Reads rqlite's JSON without rounding: `JSON.parse` makes a double of every number, and what an older Node offers no
 * way around. So integers with more digits than a double holds are put into an object first, which no value is.
 */

/** An integer of 16 digits or more, as it was written. */
export interface LongInteger {
  readonly digits: string
}

/** A value as rqlite writes it. */
export type JsonValue = null | string | number | boolean | readonly number[] | LongInteger

export interface StatementAnswer {
  readonly error?: string
  readonly rows_affected?: number
  readonly columns?: readonly string[]
  readonly types?: readonly string[]
  readonly values?: readonly (readonly JsonValue[])[]
}

export interface Answer {
  readonly results?: readonly StatementAnswer[]
  readonly error?: string
}

const LONG = /\d{16}/
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const LONG_INTEGER = /^-?\d{16,}$/

/** @throws `SyntaxError` for what is no JSON */
export function parseAnswer(json: string): Answer {
  return JSON.parse(LONG.test(json) ? markLongIntegers(json) : json)
}

function markLongIntegers(json: string): string {
  let marked = ''
  let at = 0
  while (at < json.length) {
    const quote = json.indexOf('"', at)
    const end = quote === -1 ? json.length : endOfString(json, quote)
    const numbers = json.slice(at, quote === -1 ? json.length : quote)
    marked += LONG.test(numbers) ? numbers.replace(NUMBER, mark) : numbers
    if (quote !== -1) marked += json.slice(quote, end)
    at = end
  }
  return marked
}

function mark(number: string): string {
  return LONG_INTEGER.test(number) ? `{"digits":"${number}"}` : number
}

/** Behind the quote that ends the string which begins at `start`: one with an even number of backslashes before it. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let backslashes = 0
    while (json[end - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end + 1
  }
  return json.length
}
