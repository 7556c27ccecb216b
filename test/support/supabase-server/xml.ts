/** As much XML as the S3 endpoint speaks. */
type Node = string | number | boolean | undefined | { [name: string]: Node | Node[] }

const escaped = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

const unescaped = (text: string) =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&amp;/g, '&')

function element(name: string, value: Node | Node[]): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map(item => element(name, item)).join('')
  const inside =
    typeof value === 'object'
      ? Object.entries(value)
          .map(([child, node]) => element(child, node))
          .join('')
      : escaped(String(value))
  return `<${name}>${inside}</${name}>`
}

/** Arrays are repeated elements, undefined is none. */
export const xmlDocument = (root: string, value: Node): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, value)}`

/** The inside of every element of that name. */
export function xmlElements(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    match => match[1] ?? '',
  )
}

export const xmlText = (text: string, name: string): string | undefined => {
  const inside = xmlElements(text, name)[0]
  return inside === undefined ? undefined : unescaped(inside)
}
