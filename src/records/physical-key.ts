import { createHash } from 'node:crypto'
import { type KeyRules, keyProblem } from '../core/keys.ts'

/** What is ours alone below a root: staging, trash, quarantine and the marker. */
export const RESERVED = '.stowage/'

const STEM_BYTES = 100
/** A Crockford ULID in lower case between dots, at the end of the name: `photo.01j8….jpg`. */
const OWN_FORM = /(?:^|\/)[^/]*\.([0-7][0-9a-hjkmnp-tv-z]{25})(?:\.[^./]{1,16})?$/

/**
 * Where the bytes of one upload lie: `<root><dir>/<stem>.<ulid>.<ext>`, the ulid in lower case, as bundlers name files.
 * Never used twice, so that an old delete can't hit a new file. A name that the store can't hold, or that is ours,
 * becomes a digest of itself: the record knows the key.
 */
export function physicalKey(root: string, key: string, id: string, rules: KeyRules): string {
  const slash = key.lastIndexOf('/')
  const folder = key.slice(0, slash + 1)
  const [stem, extension] = splitName(key.slice(slash + 1))
  const readable = `${root}${folder}${shortened(stem, STEM_BYTES)}.${id}${extension}`
  if (!key.startsWith(RESERVED) && keyProblem(readable, rules) === undefined) return readable
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 32)
  const plain = /^\.[A-Za-z0-9]{1,16}$/.test(extension) ? extension : ''
  return `${root}${digest.slice(0, 2)}/${digest}.${id}${plain}`
}

/** The upload that made this key, where it has our form. */
export function uploadOf(physical: string): string | undefined {
  return OWN_FORM.exec(physical)?.[1]
}

/** A place below the root that is ours: `.stowage/<area>/<id>`. */
export function reservedKey(root: string, area: ReservedArea, id: string): string {
  return `${root}${RESERVED}${area}/${id}`
}

/**
 * Where the bytes of a deleted file wait. Each deletion has a place of its own: one that was refused is swept, also when
 * the file has been deleted again meanwhile.
 */
export function trashKey(root: string, operation: string, generation: string): string {
  return reservedKey(root, 'trash', `${operation}/${generation}`)
}

export type ReservedArea = 'staging' | 'trash' | 'quarantine'

/** Name and extension with its dot; `.profile` has none. */
function splitName(name: string): [stem: string, extension: string] {
  const match = /^(.+)(\.[^.]{1,16})$/su.exec(name)
  return match === null ? [name, ''] : [match[1]!, match[2]!]
}

/** Cut between characters, not in one. */
function shortened(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  let kept = ''
  let size = 0
  for (const character of text) {
    size += Buffer.byteLength(character)
    if (size > bytes) break
    kept += character
  }
  return kept
}
