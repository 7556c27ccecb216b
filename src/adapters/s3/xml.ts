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

/**
 * Takes the elements `name` out of a document, for those of which there are a thousand: an object for each part of each costs more than
 * all else about a list. A `<` in a text is written `&lt;`, so what looks like a tag is one.
 */
export function withoutRepeated(text: string, name: string): { repeated: string[]; rest: string } {
  const [open, close] = [`<${name}>`, `</${name}>`]
  const repeated: string[] = []
  // A comment or a CDATA section.
  if (text.includes('<!')) return { repeated, rest: text }
  let rest = ''
  let at = 0
  for (;;) {
    const start = text.indexOf(open, at)
    const end = start < 0 ? -1 : text.indexOf(close, start)
    if (end < 0) break
    rest += text.slice(at, start)
    repeated.push(text.slice(start + open.length, end))
    at = end + close.length
  }
  return { repeated, rest: rest + text.slice(at) }
}

/** The text of an element that holds nothing else, and that comes once in `xml`. */
export function leafText(xml: string, name: string): string | undefined {
  const open = `<${name}>`
  const start = xml.indexOf(open)
  if (start < 0) return undefined
  const end = xml.indexOf('</', start)
  return decodeEntities(xml.slice(start + open.length, end))
}

export function childText({ children }: XmlElement, name: string): string | undefined {
  for (const child of children) if (child.name === name) return child.text
  return undefined
}

export function childrenNamed(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter(child => child.name === name)
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decodeEntities(text: string): string {
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
