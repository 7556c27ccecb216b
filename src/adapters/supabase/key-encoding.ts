/**
 * Any key as a name that Supabase takes, one-to-one and in the same order, so that lists, prefixes and `startAfter`
 * need no table and no sorting.
 *
 * Between the characters that Supabase takes lie gaps in the order of bytes. A character of a gap is written as the
 * nearest allowed one below it (its leader), a `z`, which sorts behind all that may follow a plain leader, and two
 * hexadecimal digits: `#` is `!z23`. What lies behind `z` is too much for that: `zz` and three digits of base 62 that
 * count code points, whose order is that of their UTF-8. A leader that stands for itself is written plainly, unless
 * what follows begins with a `z` in the encoding: then `z0` comes between, so `_zip` is `_z0zip`. Control characters lie below
 * all that is allowed, so their leader is the space, the mark a second space, and a space stands for itself as
 * `  2` where a control character, another space or the end follows.
 */

/** What Supabase's own check lets pass; `~` and everything else that is absent has been seen refused. */
export const ALLOWED_NAME = /^[\w/!.*'() &$=@;:+,?-]+$/

/** Leaders by the characters of the gap behind them. */
const LEADERS: Record<string, string> = {
  '"': '!',
  '#': '!',
  '%': '$',
  '<': ';',
  '>': '=',
  '[': 'Z',
  '\\': 'Z',
  ']': 'Z',
  '^': 'Z',
  '`': '_',
}
/** The usual key: neither a leader in it nor anything that needs one. */
const NOTHING_TO_ESCAPE = /^[A-Ya-y\d/.*'()&@:+,?-]+$/
const IS_LEADER = new Set([...Object.values(LEADERS), 'z'])
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Code points count from here, so that their first digit is never the `0` of a plain leader. */
const OFFSET = 62 ** 2
/** First digits up to `y` begin three digits, `z` begins four more: the planes that hardly anybody writes. */
const THREE_DIGITS = 61 * 62 ** 2

export function escapeKey(key: string): string {
  if (NOTHING_TO_ESCAPE.test(key)) return key
  let name = ''
  // From the end, because how a leader is written depends on what follows.
  for (const char of [...key].reverse()) {
    name = escapeChar(char, name) + name
  }
  return name
}

function escapeChar(char: string, following: string): string {
  if (char < ' ') return `  ${hex(char)}`
  // An escaped control character begins with a space, too.
  if (char === ' ') return following === '' || following[0] === ' ' ? '  2' : ' '
  const leader = LEADERS[char]
  if (leader !== undefined) return `${leader}z${hex(char)}`
  if (char > 'z') return `zz${digitsOf(char.codePointAt(0)! + OFFSET)}`
  return IS_LEADER.has(char) && following[0] === 'z' ? `${char}z0` : char
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}

function digitsOf(value: number): string {
  if (value >= THREE_DIGITS) return `z${base62(value, 4)}`
  return base62(value, 3)
}

function base62(value: number, length: number): string {
  let digits = ''
  for (let rest = value; digits.length < length; rest = Math.floor(rest / 62))
    digits = DIGITS[rest % 62] + digits
  return digits
}

const TOKEN =
  /(?<control> {2}[01][0-9A-F])|(?<space> {2}2)|(?<plain>[!$;=Z_z])z0|[!$;=Z_]z(?<gap>[2-6][0-9A-F])|zz(?<point>z\w{4}|[1-9A-Za-y]\w{2})|(?<same>[\s\S])/y

/** The key that `name` was made of, or undefined where it was made otherwise: by hand or by another program. */
export function unescapeKey(name: string): string | undefined {
  let key = ''
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < name.length) {
    const { control, space, plain, gap, point, same } = TOKEN.exec(name)?.groups ?? {}
    if (space !== undefined) key += ' '
    else if (plain !== undefined || same !== undefined) key += plain ?? same
    else if (point !== undefined) {
      const code = codePointOf(point)
      if (!(code > 0x7a && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff))) return undefined
      key += String.fromCodePoint(code)
    } else key += String.fromCharCode(Number.parseInt((control ?? gap)!, 16))
  }
  // A name that reads as a key but is not how that key is written would be found by nobody.
  return escapeKey(key) === name ? key : undefined
}

function codePointOf(digits: string): number {
  const number = digits[0] === 'z' ? digits.slice(1) : digits
  return [...number].reduce((value, digit) => value * 62 + DIGITS.indexOf(digit), 0) - OFFSET
}

/** How the names of all keys that begin with `prefix` begin. May fit more; those are told by reading them. */
export function escapePrefix(prefix: string): string {
  const plain = /[!$;=Z_z ]+$/.exec(prefix)
  if (plain === null) return escapeKey(prefix)
  // How these are written depends on what follows: only the first of them is certain.
  return escapeKey(prefix.slice(0, plain.index)) + plain[0][0]
}
