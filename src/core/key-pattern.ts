import { StorageError } from './errors.ts'
import { ANY_KEY, keyProblem } from './keys.ts'

/** A value of a parameter: `{n:int}` is a number, every other kind is text. */
export type ParameterValue = string | number

export interface Parameter {
  readonly name: string
  readonly kind: Kind
  /** What an enumeration may be. */
  readonly words: readonly string[]
  /** The text behind it within its segment, at whose first occurrence it ends. Empty at the segment's end. */
  readonly end: string
  /** Words it never is, since they mean another pattern, each with that pattern's name. See `key-overlap.ts`. */
  readonly reserved: Map<string, string>
}

type Kind = 'text' | 'rest' | 'words' | 'uuid' | 'int' | 'date'

/** A part between two slashes: fixed text and parameters by turns. */
export type Segment = readonly (string | Parameter)[]

const FORMS = {
  text: '[^/]+?',
  rest: '[^]+',
  uuid: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  int: '(?:0|[1-9][0-9]{0,15})',
  date: '[0-9]{4}-[0-9]{2}-[0-9]{2}',
} as const

const UUID = new RegExp(`^${FORMS.uuid}$`)
const DAY = new RegExp(`^${FORMS.date}$`)

const EXPECTED = {
  uuid: 'must be a UUID in lower case',
  int: 'must be a whole number, 0 or above',
  date: 'must be a day such as 2026-01-31',
} as const

/** One pattern such as `{userId}/{kind:insert|gen}_{id:uuid}`. @throws `invalid-argument` for one that can't be read back */
export class KeyPattern {
  readonly name: string
  readonly segments: readonly Segment[]
  readonly #parameters: readonly Parameter[]
  readonly #form: RegExp

  constructor(name: string, pattern: string) {
    this.name = name
    this.segments = readSegments(name, pattern)
    this.#parameters = this.segments.flat().filter(piece => typeof piece !== 'string')
    this.#form = new RegExp(`^${this.segments.map(formOf).join('/')}$`)
    for (const [at, parameter] of this.#parameters.entries())
      if (this.#parameters.findIndex(other => other.name === parameter.name) < at)
        throw refused(name, `{${parameter.name}} stands in it twice`)
  }

  build(params: Readonly<Record<string, unknown>>): string {
    const key = this.#fill('build', params, false)
    const problem = keyProblem(key, ANY_KEY)
    if (problem !== undefined) throw invalidKey(`build: the key of ${this.name} ${problem}`)
    return key
  }

  /** The beginning of every key with these leading parameters. */
  prefix(params: Readonly<Record<string, unknown>>): string {
    return this.#fill('prefix', params, true)
  }

  parse(key: string): Record<string, ParameterValue> | undefined {
    const match = keyProblem(key, ANY_KEY) === undefined ? this.#form.exec(key) : null
    if (match === null) return undefined
    const params: Record<string, ParameterValue> = {}
    for (const [at, parameter] of this.#parameters.entries()) {
      const text = match[at + 1]!
      const value = parameter.kind === 'int' ? Number(text) : text
      if (valueProblem(parameter, value) !== undefined) return undefined
      params[parameter.name] = value
    }
    return params
  }

  #fill(operation: string, given: Readonly<Record<string, unknown>>, leadingOnly: boolean): string {
    this.#assertKnown(operation, given)
    // Without what every object inherits: a parameter may be called `constructor`.
    const params: Record<string, unknown> = Object.assign(Object.create(null), given)
    const told = this.#parameters.filter(({ name }) => params[name] !== undefined)
    const missing = this.#parameters.find(({ name }) => params[name] === undefined)
    if (missing !== undefined && (!leadingOnly || told.length > this.#parameters.indexOf(missing)))
      throw invalidArgument(`${operation}: ${this.name} needs ${missing.name}`)
    let text = ''
    for (const [at, segment] of this.segments.entries()) {
      if (at > 0) text += '/'
      for (const piece of segment) {
        if (piece === missing) return text
        text += typeof piece === 'string' ? piece : this.#checked(operation, piece, params[piece.name])
      }
    }
    return text
  }

  #checked(operation: string, parameter: Parameter, value: unknown): string {
    const subject = `${operation}: ${parameter.name} of ${this.name}`
    const type = parameter.kind === 'int' ? 'number' : 'string'
    if (typeof value !== type) throw invalidArgument(`${subject} must be a ${type}`)
    const problem = valueProblem(parameter, value as ParameterValue)
    if (problem !== undefined) throw invalidKey(`${subject} ${problem}`)
    return String(value)
  }

  #assertKnown(operation: string, params: Readonly<Record<string, unknown>>): void {
    if (typeof params !== 'object' || params === null)
      throw invalidArgument(`${operation}: the parameters of ${this.name} must be an object`)
    const known = this.#parameters.map(({ name }) => name)
    for (const name in params)
      if (!known.includes(name))
        throw invalidArgument(
          `${operation}: ${this.name} has no parameter '${name}'; it has ${known.join(', ')}`,
        )
  }
}

/** The source of a regular expression for the segment, with a group for each parameter. */
export function formOf(segment: Segment): string {
  return segment
    .map(piece => {
      if (typeof piece === 'string') return escaped(piece)
      return `(${piece.kind === 'words' ? piece.words.map(escaped).join('|') : FORMS[piece.kind]})`
    })
    .join('')
}

/** The rules are the same for building and parsing: what one refuses, the other never returns. */
function valueProblem({ kind, words, end, reserved }: Parameter, value: ParameterValue): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? undefined : EXPECTED.int
  if (kind === 'words') return words.includes(value) ? undefined : `must be one of ${words.join(', ')}`
  if (kind === 'uuid') return UUID.test(value) ? undefined : EXPECTED.uuid
  if (kind === 'date') return isDay(value) ? undefined : EXPECTED.date
  if (kind === 'rest') return keyProblem(value, { ...ANY_KEY, emptySegments: false })
  if (value.includes('/')) return 'must not contain a slash'
  if (endsEarly(value, end)) return `must not contain ${JSON.stringify(end)}, which ends it in the pattern`
  const other = reserved.get(value)
  if (other !== undefined) return `must not be ${JSON.stringify(value)}: such keys are those of ${other}`
  return keyProblem(value, ANY_KEY)
}

/** Also where the text and the beginning of `end` together make an earlier one: `a-` before `--`. */
function endsEarly(value: string, end: string): boolean {
  return end !== '' && (value + end).indexOf(end) < value.length
}

function isDay(text: string): boolean {
  if (!DAY.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

function readSegments(name: string, pattern: unknown): Segment[] {
  if (typeof pattern !== 'string') throw refused(name, 'a pattern must be a string')
  const texts = pattern.split('/')
  return texts.map((text, at) => {
    const pieces = text.split(/(\{[^{}]*\})/).filter(piece => piece !== '')
    if (pieces.length === 0)
      throw refused(name, 'it must not begin or end with a slash or contain two in a row')
    return pieces.map((piece, index) => {
      if (!piece.startsWith('{') || !piece.endsWith('}')) return fixedText(name, piece)
      const next = pieces[index + 1]
      if (next?.startsWith('{')) throw refused(name, `a fixed text must stand between ${piece} and ${next}`)
      const parameter = readParameter(name, piece.slice(1, -1), next ?? '')
      if (parameter.kind === 'rest' && (pieces.length > 1 || at < texts.length - 1))
        throw refused(name, `${piece} must be the whole last segment`)
      return parameter
    })
  })
}

function fixedText(name: string, text: string): string {
  if (/[{}]/.test(text)) throw refused(name, 'a brace in it is not closed, or was not opened')
  const problem = keyProblem(text, ANY_KEY)
  if (problem !== undefined) throw refused(name, `the fixed text ${JSON.stringify(text)} ${problem}`)
  return text
}

function readParameter(pattern: string, text: string, end: string): Parameter {
  const [, name = '', rest, kind] = /^([A-Za-z]\w*)(?:(\.\.\.)|:(.*))?$/s.exec(text) ?? []
  if (name === '') throw refused(pattern, `{${text}} must be a name, {name:kind} or {name...}`)
  const parameter = { name, words: [] as string[], end, reserved: new Map<string, string>() }
  if (rest !== undefined) return { ...parameter, kind: 'rest' }
  if (kind === undefined) return { ...parameter, kind: 'text' }
  if (kind === 'int' && /^[0-9]/.test(end))
    throw refused(pattern, `{${text}} must not be followed by a digit, which could be one of its own`)
  if (kind === 'uuid' || kind === 'int' || kind === 'date') return { ...parameter, kind }
  const words = kind.split('|')
  if (words.length === 1)
    throw refused(pattern, `'${kind}' of {${text}} is no kind; known are uuid, int, date, and words as a|b|c`)
  for (const word of words) {
    if (keyProblem(word, ANY_KEY) !== undefined || words.indexOf(word) < words.lastIndexOf(word))
      throw refused(pattern, `the words of {${text}} must be distinct and not empty`)
    if (endsEarly(word, end))
      throw refused(pattern, `the word ${word} contains '${end}', which ends {${name}}`)
  }
  return { ...parameter, kind: 'words', words }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

export function refused(pattern: string, problem: string): StorageError {
  return invalidArgument(`keys: the pattern of ${pattern} can't be used: ${problem}`)
}

function invalidArgument(message: string): StorageError {
  return new StorageError('invalid-argument', message)
}

function invalidKey(message: string): StorageError {
  return new StorageError('invalid-key', message)
}
