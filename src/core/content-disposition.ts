/** Characters that RFC 8187 lets stand unencoded in `filename*`. */
const NOT_ATTR_CHAR = /['()*]/g
/** What can't stand in a quoted fallback: other than ASCII, quotes, and `%`, which some browsers decode. */
const NOT_PLAIN = /[^\x20-\x7e]|["\\%]/gu

/**
 * The header that makes a browser save the answer under `name`: with a fallback in ASCII and, where that differs,
 * the name itself in UTF-8 (RFC 6266, 4.3 and appendix D).
 *
 * @example
 * ```ts
 * attachment('Übersicht.pdf') // attachment; filename="_bersicht.pdf"; filename*=UTF-8''%C3%9Cbersicht.pdf
 * ```
 */
export function attachment(name: string): string {
  return disposition('attachment', name)
}

/** The header that names what is shown, for whoever saves it from there. */
export function inline(name: string): string {
  return disposition('inline', name)
}

function disposition(type: 'attachment' | 'inline', name: string): string {
  // A name is never a path: browsers cut at a slash, each in its own way.
  const flat = name.replace(/[/\\]/g, '_').replace(/[\x00-\x1f\x7f]/g, '')
  const plain = flat.replace(NOT_PLAIN, '_')
  const header = `${type}; filename="${plain}"`
  if (plain === flat) return header
  const encoded = encodeURIComponent(flat.toWellFormed()).replace(
    NOT_ATTR_CHAR,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${header}; filename*=UTF-8''${encoded}`
}

/** The name that a key's object is saved under: what follows its last slash. */
export function fileNameOf(key: string): string {
  return key.slice(key.lastIndexOf('/', key.length - 2) + 1).replace(/\/$/, '') || 'file'
}
