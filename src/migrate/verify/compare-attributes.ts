import { printable } from '../../core/human-format.ts'
import { ATTRIBUTES, type ObjectAttributes } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'

/** S3 does not name it. */
const DEFAULT_CLASS = 'STANDARD'
/** A message stays a line. */
const SHOWN = 60

/**
 * Says what of an object is not as it was sent; undefined where all is. What was not sent may be anything, since stores
 * have defaults of their own, but for metadata: names that nobody sent were put there by somebody.
 */
export function attributesProblem(sent: ObjectAttributes, there: ObjectInfo): string | undefined {
  for (const name of ATTRIBUTES) {
    if (name === 'metadata') {
      const problem = metadataProblem(sent.metadata ?? {}, there.metadata ?? {})
      if (problem !== undefined) return problem
      continue
    }
    const wanted = sent[name]
    const found = name === 'storageClass' ? (there.storageClass ?? DEFAULT_CLASS) : there[name]
    if (wanted !== undefined && wanted !== found)
      return `${name}: ${shown(wanted)} was sent, ${shown(found)} is there`
  }
  return undefined
}

function metadataProblem(
  sent: Readonly<Record<string, string>>,
  there: Readonly<Record<string, string>>,
): string | undefined {
  const wanted = new Map(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]))
  for (const [name, value] of wanted)
    if (there[name] !== value)
      return `metadata ${shown(name)}: ${shown(value)} was sent, ${shown(there[name])} is there`
  const extra = Object.keys(there).find(name => !wanted.has(name))
  return extra === undefined ? undefined : `metadata ${shown(extra)} is there and was not sent`
}

function shown(value: string | undefined): string {
  if (value === undefined) return 'nothing'
  return JSON.stringify(printable(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value))
}
