/** Whether one key could be read by two patterns, and what keeps them apart. */
import { formOf, type KeyPattern, type Parameter, refused, type Segment } from './key-pattern.ts'

/**
 * Keeps two patterns apart. Where nothing else does, a fixed word of one is reserved: the plain parameter at its place in
 * the other never takes it. @throws `invalid-argument` where even that is not possible
 */
export function keepApart(a: KeyPattern, b: KeyPattern): void {
  if (!canBeSameLength(a, b)) return
  const pairs = Array.from({ length: Math.min(a.segments.length, b.segments.length) }, (_, at) => ({
    left: a.segments[at]!,
    right: b.segments[at]!,
  }))
  if (pairs.some(({ left, right }) => !canBeSameText(left, right))) return
  for (const { left, right } of pairs) {
    if (reserve(left, right, b.name) || reserve(right, left, a.name)) return
  }
  throw refused(
    b.name,
    `a key of it can be one of ${a.name}, too. Give the two a different fixed word, or parameters of different kinds (uuid, int, date, a|b), at the same place`,
  )
}

function canBeSameLength(a: KeyPattern, b: KeyPattern): boolean {
  const [short, long] = a.segments.length <= b.segments.length ? [a, b] : [b, a]
  return short.segments.length === long.segments.length || isRest(short.segments.at(-1)!)
}

function isRest(segment: Segment): boolean {
  const [piece] = segment
  return typeof piece === 'object' && piece.kind === 'rest'
}

/** Keeps `word` from a plain parameter. False where these two are not a word and a plain parameter. */
function reserve(parameter: Segment, word: Segment, wordsPattern: string): boolean {
  const [piece] = parameter
  const [text] = word
  if (parameter.length > 1 || typeof piece !== 'object' || piece.kind !== 'text') return false
  if (word.length > 1 || typeof text !== 'string') return false
  piece.reserved.set(text, wordsPattern)
  return true
}

/** False only where it is certain: two patterns that are refused for nothing are a nuisance, a key read wrongly is a loss. */
function canBeSameText(left: Segment, right: Segment): boolean {
  if (isRest(left) || isRest(right)) return true
  return spellings(left).some(a => spellings(right).some(b => canMeet(a, b)))
}

/** The segment with each enumeration replaced by each of its words. */
function spellings(segment: Segment): Segment[] {
  return segment.reduce<Segment[]>(
    (all, piece) => {
      const words = typeof piece === 'object' && piece.kind === 'words' ? piece.words : [piece]
      return all.flatMap(before => words.map(word => joined(before, word)))
    },
    [[]],
  )
}

function joined(before: Segment, piece: string | Parameter): Segment {
  const last = before.at(-1)
  if (typeof last !== 'string' || typeof piece !== 'string') return [...before, piece]
  return [...before.slice(0, -1), last + piece]
}

function canMeet(a: Segment, b: Segment): boolean {
  const [left, right] = [fixed(a), fixed(b)]
  if (left !== undefined && right !== undefined) return left === right
  if (left !== undefined) return new RegExp(`^${formOf(b)}$`).test(left)
  if (right !== undefined) return new RegExp(`^${formOf(a)}$`).test(right)
  const [first, second] = [lengths(a), lengths(b)]
  if (first.most < second.least || second.most < first.least) return false
  if (a.length === 1 && b.length === 1 && kindOf(a) !== 'text' && kindOf(b) !== 'text')
    return kindOf(a) === kindOf(b)
  const begin = [textAt(a, 0), textAt(b, 0)] as const
  const end = [textAt(a, -1), textAt(b, -1)] as const
  return (
    (begin[0].startsWith(begin[1]) || begin[1].startsWith(begin[0])) &&
    (end[0].endsWith(end[1]) || end[1].endsWith(end[0]))
  )
}

function fixed(segment: Segment): string | undefined {
  return segment.length === 1 && typeof segment[0] === 'string' ? segment[0] : undefined
}

function kindOf(segment: Segment): string | undefined {
  return typeof segment[0] === 'object' ? segment[0].kind : undefined
}

function textAt(segment: Segment, at: 0 | -1): string {
  const piece = segment.at(at)
  return typeof piece === 'string' ? piece : ''
}

const LENGTHS = { uuid: [36, 36], date: [10, 10], int: [1, 16] } as const

function lengths(segment: Segment): { least: number; most: number } {
  let [least, most] = [0, 0]
  for (const piece of segment) {
    const [low, high] =
      typeof piece === 'string'
        ? [piece.length, piece.length]
        : (LENGTHS[piece.kind as 'uuid'] ?? [1, Number.POSITIVE_INFINITY])
    least += low
    most += high
  }
  return { least, most }
}
