/**
 * The small part of XML that S3 answers in: elements, text and the five named and the numbered entities. No
 * document types, so nothing expands; attributes, comments and processing instructions are passed over.
 */

export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

/** Deeper than any answer of S3. */
const MAX_DEPTH = 16
interface Open {
  readonly name: string
  text: string
  readonly children: Open[]
}

/** @throws `SyntaxError` for what is no well-formed document of this kind, such as an HTML page */
export function parseXml(text: string): XmlElement {
  const root: Open = { name: '', text: '', children: [] }
  const stack = [root]
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (at < text.length) {
    const top = stack[stack.length - 1]!
    const tag = text.indexOf('<', at)
    if (tag !== at) {
      const end = tag < 0 ? text.length : tag
      top.text += decodeEntities(text.slice(at, end))
      at = end
    } else if (text.startsWith('<![CDATA[', at)) {
      const end = endOf(text, ']]>', at)
      top.text += text.slice(at + 9, end - 3)
      at = end
    } else if (text.startsWith('<!--', at)) at = endOf(text, '-->', at)
    else if (text.startsWith('<?', at)) at = endOf(text, '?>', at)
    else {
      const end = endOf(text, '>', at)
      if (text.charCodeAt(at + 1) === SLASH) {
        if (stack.length < 2 || top.name !== nameAt(text, at + 2, end - 1))
          throw new SyntaxError('the answer is no well-formed XML')
        stack.pop()
      } else {
        const element: Open = { name: nameAt(text, at + 1, end - 1), text: '', children: [] }
        top.children.push(element)
        if (text.charCodeAt(end - 2) !== SLASH) stack.push(element)
        if (stack.length > MAX_DEPTH) throw new SyntaxError('the answer is nested too deep')
      }
      at = end
    }
  }
  if (stack.length !== 1 || root.children.length !== 1)
    throw new SyntaxError('the answer is no whole XML document')
  return root.children[0]!
}

const SLASH = 47
const SPACE = 32
const NO_NAME = /^$|[!?<]/

/** Up to a space, a slash or `end`. */
function nameAt(text: string, at: number, end: number): string {
  let to = at
  while (to < end && text.charCodeAt(to) > SPACE && text.charCodeAt(to) !== SLASH) to++
  const name = text.slice(at, to)
  if (NO_NAME.test(name)) throw new SyntaxError('the answer is no XML that S3 speaks')
  return name
}

/** Behind the next `mark`. */
function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  if (at < 0) throw new SyntaxError('the answer is no XML that S3 speaks')
  return at + mark.length
}

export function childText({ children }: XmlElement, name: string): string | undefined {
  for (const child of children) if (child.name === name) return child.text
  return undefined
}

export function childrenNamed(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter(child => child.name === name)
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  // Around each etag of a list.
  const unquoted = text.replaceAll('&#34;', '"').replaceAll('&quot;', '"')
  if (!unquoted.includes('&')) return unquoted
  return unquoted.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name] ?? whole
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole
  })
}

/** Characters that XML 1.0 has no way to write, not even as entities (section 2.2). */
export const XML_IMPOSSIBLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\t\r\n]/g, char => `&#${char.charCodeAt(0)};`)
}
