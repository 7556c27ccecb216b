/** Reads JSON with the digits of numbers as they came, and stops behind the first value as Go's decoder does. */

export class JsonNumber {
  constructor(readonly digits: string) {}
}

export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | ReadonlyMap<string, JsonValue>

/** @throws SyntaxError */
export function readJson(text: string): JsonValue {
  return new Reader(text).value()
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SPACE = /[ \t\r\n]*/y

class Reader {
  private at = 0
  constructor(private readonly text: string) {}

  value(): JsonValue {
    this.skipSpace()
    const first = this.text[this.at]
    if (first === '"') return this.string()
    if (first === '[') return this.array()
    if (first === '{') return this.object()
    for (const [word, value] of [
      ['null', null],
      ['true', true],
      ['false', false],
    ] as const)
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return value
      }
    NUMBER.lastIndex = this.at
    const digits = NUMBER.exec(this.text)?.[0]
    if (!digits) throw new SyntaxError('no value')
    this.at += digits.length
    return new JsonNumber(digits)
  }

  private array(): JsonValue[] {
    this.at += 1
    const items: JsonValue[] = []
    if (this.takes(']')) return items
    do items.push(this.value())
    while (this.takes(','))
    this.expect(']')
    return items
  }

  private object(): ReadonlyMap<string, JsonValue> {
    this.at += 1
    const fields = new Map<string, JsonValue>()
    if (this.takes('}')) return fields
    do {
      this.skipSpace()
      const name = this.string()
      this.expect(':')
      fields.set(name, this.value())
    } while (this.takes(','))
    this.expect('}')
    return fields
  }

  /** A lone surrogate becomes U+FFFD. */
  private string(): string {
    if (this.text[this.at] !== '"') throw new SyntaxError('no string')
    let end = this.at
    let backslashes: number
    do {
      end = this.text.indexOf('"', end + 1)
      if (end < 0) throw new SyntaxError('the string does not end')
      backslashes = 0
      while (this.text[end - 1 - backslashes] === '\\') backslashes += 1
    } while (backslashes % 2 === 1)
    const string: string = JSON.parse(this.text.slice(this.at, end + 1))
    this.at = end + 1
    return string.toWellFormed()
  }

  private skipSpace(): void {
    SPACE.lastIndex = this.at
    this.at += SPACE.exec(this.text)?.[0].length ?? 0
  }

  private takes(sign: string): boolean {
    this.skipSpace()
    if (this.text[this.at] !== sign) return false
    this.at += 1
    return true
  }

  private expect(sign: string): void {
    if (!this.takes(sign)) throw new SyntaxError(`no ${sign}`)
  }
}
