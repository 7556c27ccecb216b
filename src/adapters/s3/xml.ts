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
const TOKEN =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([^\s/>!?]+)[^>]*?(\/?)>|([^<]+)/gy

/** @throws `SyntaxError` for what is no well-formed document of this kind, such as an HTML page */
export function parseXml(text: string): XmlElement {
  const root: XmlElement = { name: '', text: '', children: [] }
  const stack: { name: string; text: string; children: XmlElement[] }[] = [
    root as { name: string; text: string; children: XmlElement[] },
  ]
  TOKEN.lastIndex = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) throw new SyntaxError('the answer is no XML that S3 speaks')
    const [, cdata, closing, name, empty, chars] = match
    const top = stack.at(-1)!
    if (chars !== undefined) top.text += decodeEntities(chars)
    else if (cdata !== undefined) top.text += cdata
    else if (name === undefined) continue
    else if (closing === '/') {
      if (stack.length < 2 || top.name !== name) throw new SyntaxError('the answer is no well-formed XML')
      stack.pop()
    } else {
      const element = { name, text: '', children: [] }
      top.children.push(element)
      if (empty !== '/') stack.push(element)
      if (stack.length > MAX_DEPTH) throw new SyntaxError('the answer is nested too deep')
    }
  }
  if (stack.length !== 1 || root.children.length !== 1)
    throw new SyntaxError('the answer is no whole XML document')
  return root.children[0]!
}

export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find(child => child.name === name)?.text
}

export function childrenNamed(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter(child => child.name === name)
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (whole, hex, decimal, name) => {
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
