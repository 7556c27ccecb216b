/**
 * Keys as paths, one-to-one. A segment is the file name itself wherever a file system can hold it; the rest is
 * escaped with `%`:
 *
 * | segment | name |
 * | --- | --- |
 * | control character | `%0A` |
 * | text that reads like an escape, `%0A` | `%250A` |
 * | empty | `%`; the literal `%` is `%25`, `%25` is `%2525` |
 * | `.stowage` at the top (and on Windows `CON`, `NUL`, …) | `%00.stowage` |
 * | longer than 255 bytes | folders `<first part>%00more`, then the rest |
 * | an object beside a folder of its name | `photo%00object` |
 *
 * No key holds NUL, so `%00` is free for marks. On Windows `<>:"|?*\` and a dot or space at the end are escaped
 * too.
 */

/** What this adapter keeps for itself at the top of the root. */
export const RESERVED = '.stowage'
const OBJECT_MARK = '%00object'
const MORE_MARK = '%00more'
/** Longest file name of the usual file systems in bytes (NAME_MAX; 255 UTF-16 units on NTFS). */
const MAX_NAME_BYTES = 255
/** Leaves room for a mark behind a part and one before it. */
const MAX_PART_BYTES = MAX_NAME_BYTES - OBJECT_MARK.length - '%00'.length

/** Where an object may lie: `path` is relative to the root with slashes, `folders` are the names above it. */
export interface ObjectPath {
  readonly path: string
  readonly folders: readonly string[]
}

/** What a name in a folder stands for. */
export interface DecodedName {
  /** The segment, or the part of one that the name holds. */
  readonly text: string
  /** `more`: a folder that holds the rest of the segment; `object`: an object beside a folder of its name. */
  readonly mark: 'none' | 'more' | 'object'
}

/** Keys that are their own path: short segments of plain characters, the usual case. */
const PLAIN = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/

export class KeyPaths {
  readonly #windows: boolean
  readonly #looksEscaped: RegExp
  readonly #escape: RegExp
  readonly #unheld: RegExp

  constructor(windows: boolean = process.platform === 'win32') {
    this.#windows = windows
    const codes = windows ? '(?:[01][0-9A-F]|7F|2[02AE]|3[ACEF]|5C|7C)' : '(?:[01][0-9A-F]|7F)'
    this.#looksEscaped = new RegExp(`%(?=(?:25)*${codes})`, 'g')
    this.#escape = new RegExp(`%(?:25(?=(?:25)*${codes})|(${codes}))`, 'g')
    this.#unheld = windows ? /[\x01-\x1f\x7f<>:"|?*\\]|[. ]$/g : /[\x01-\x1f\x7f]/g
  }

  /** The path of the object's own name. */
  own(key: string): ObjectPath {
    if (!this.#windows && key.length <= MAX_NAME_BYTES && PLAIN.test(key)) {
      const names = key.split('/')
      names.pop()
      return { path: key, folders: names }
    }
    return this.#path(key, '')
  }

  /** The path beside a folder that has the object's name. */
  beside(key: string): ObjectPath {
    return this.#path(key, OBJECT_MARK)
  }

  /** The names of the folders that `prefix`, which ends in a slash or is empty, stands for. */
  foldersOf(prefix: string): readonly string[] | undefined {
    if (prefix === '') return []
    if (DOT_SEGMENT.test(prefix) || prefix.includes('\0')) return undefined
    return this.#names(prefix.slice(0, -1), '')
  }

  /** The key of the object that lies at these names, or undefined where no object of ours would lie there. */
  keyOf(names: readonly string[]): string | undefined {
    let key = ''
    names.forEach((name, i) => {
      const { text, mark } = this.decode(name)
      key += mark === 'more' || i === names.length - 1 ? text : `${text}/`
    })
    if (key === '' || DOT_SEGMENT.test(key) || key.includes('\0') || Buffer.byteLength(key) > 1024)
      return undefined
    const path = names.join('/')
    return this.own(key).path === path || this.beside(key).path === path ? key : undefined
  }

  decode(name: string): DecodedName {
    const mark = name.endsWith(OBJECT_MARK) ? 'object' : name.endsWith(MORE_MARK) ? 'more' : 'none'
    const bare = mark === 'none' ? name : name.slice(0, name.lastIndexOf('%'))
    return { text: this.#decodePart(bare), mark }
  }

  #path(key: string, mark: string): ObjectPath {
    const folders = this.#names(key, mark)
    return { path: folders.join('/'), folders: folders.slice(0, -1) }
  }

  #names(key: string, mark: string): string[] {
    // The core has refused these; a key that left the root would be the worst of all bugs.
    if (DOT_SEGMENT.test(key) || key.includes('\0')) throw new Error('a key with a dot segment or NUL')
    const segments = key.split('/')
    return segments.flatMap((segment, i) =>
      this.#segmentNames(segment, i === 0, i === segments.length - 1 ? mark : ''),
    )
  }

  #segmentNames(segment: string, top: boolean, mark: string): string[] {
    const name = this.#encodePart(segment, top) + mark
    if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return [name]
    const parts = cut(segment)
    return parts.map(
      (part, i) => this.#encodePart(part, top && i === 0) + (i < parts.length - 1 ? MORE_MARK : mark),
    )
  }

  #encodePart(text: string, top: boolean): string {
    if (text === '') return '%'
    if (/^%(?:25)*$/.test(text)) return `%25${text.slice(1)}`
    const name = text
      .replace(this.#looksEscaped, '%25')
      .replace(this.#unheld, char => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    return this.#isTaken(name, top) ? `%00${name}` : name
  }

  #isTaken(name: string, top: boolean): boolean {
    if (top && name.toLowerCase() === RESERVED) return true
    return this.#windows && /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i.test(name)
  }

  #decodePart(name: string): string {
    if (name === '%') return ''
    if (/^%(?:25)+$/.test(name)) return `%${name.slice(3)}`
    const bare = name.startsWith('%00') ? name.slice(3) : name
    return bare.replace(this.#escape, (_, code?: string) =>
      code === undefined ? '%' : String.fromCharCode(Number.parseInt(code, 16)),
    )
  }
}

/** Cuts a long segment between characters, so that each part fits into a name with any mark behind it. */
function cut(segment: string): string[] {
  const parts: string[] = []
  let part = ''
  let bytes = 0
  for (const char of segment) {
    const code = char.codePointAt(0)!
    const width = code < 0x80 ? (/[\w-]/.test(char) ? 1 : 3) : Buffer.byteLength(char)
    if (bytes + width > MAX_PART_BYTES) {
      parts.push(part)
      part = ''
      bytes = 0
    }
    part += char
    bytes += width
  }
  return [...parts, part]
}
