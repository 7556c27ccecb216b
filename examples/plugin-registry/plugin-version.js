import { Refusal } from '../image-pipeline/refusal.js'

const NUMBER = '(0|[1-9]\\d{0,14})'
const FORM = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`)
const MOST_LENGTH = 64
const DIGITS = 15

/**
 * A version as semver.org has it, and a text that sorts byte by byte as semver orders versions, so that an index of the
 * database finds the highest one. Build metadata (`+…`) is refused: two versions that differ by it alone have no order.
 *
 * @returns {{ version: string, sortKey: string, isStable: boolean }}
 */
export function parseVersion(version) {
  const [, major, minor, patch, prerelease] = FORM.exec(version) ?? []
  const parts = prerelease?.split('.') ?? []
  if (major === undefined || version.length > MOST_LENGTH || parts.some(hasZeroInFront))
    throw new Refusal(400, 'invalid-argument', 'A version is like 1.4.2 or 2.0.0-beta.1.')
  const numbers = [major, minor, patch].map(number => number.padStart(DIGITS, '0')).join('.')
  // A release is above all that came before it, and `~` above all letters.
  const rest = prerelease === undefined ? '~' : parts.map(partKey).join(' ')
  return { version, sortKey: `${numbers} ${rest}`, isStable: prerelease === undefined }
}

/** Numbers are below words. A blank is below all that a part may hold, so that fewer parts are below more. */
function partKey(part) {
  return /^\d+$/.test(part) ? `0${part.padStart(MOST_LENGTH, '0')}` : `1${part}`
}

function hasZeroInFront(part) {
  return /^0\d+$/.test(part)
}
