import { createHash } from 'node:crypto'
import { ATTRIBUTES } from '../../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import { type CutOverSet, isAbsent } from './cut-over-set.ts'
import type { ReadDifference } from './read-difference.ts'

export type Difference = Omit<ReadDifference, 'at'>

/**
 * The first thing in which the two sides differ about one object. `attributes`: size and what both keep beside the bytes. `checksum`: also
 * the bytes, by checksums where both stores tell the same kind, else read. `content`: both are read, whatever the stores say.
 */
export async function compareSides(
  set: CutOverSet,
  key: string,
  level: VerifyLevel,
  signal?: AbortSignal,
): Promise<Difference | 'missing-source' | 'missing-destination' | 'missing-both' | undefined> {
  const options = signal === undefined ? {} : { signal }
  const [from, to] = await Promise.all([
    infoOrNone(set.side('from'), key, options),
    infoOrNone(set.side('to'), key, options),
  ])
  if (from === undefined) return to === undefined ? 'missing-both' : 'missing-source'
  if (to === undefined) return 'missing-destination'
  const told = toldDifference(set, from, to)
  if (told !== undefined || level === 'attributes') return told
  if (level === 'checksum' && haveSameSum(from, to)) return undefined
  const [left, right] = await Promise.all([
    sha256Of(set.side('from'), key, options),
    sha256Of(set.side('to'), key, options),
  ])
  if (left === right) return undefined
  return { key, kind: 'content', detail: `SHA-256 ${left} at the source, ${right} at the destination` }
}

/** What the stores' own words say: size, checksum, attributes that both keep. */
export function toldDifference(set: CutOverSet, from: ObjectInfo, to: ObjectInfo): Difference | undefined {
  const { key } = from
  const differ = (kind: Difference['kind'], what: string, a: unknown, b: unknown): Difference => ({
    key,
    kind,
    detail: `${what} ${JSON.stringify(a)} at the source, ${JSON.stringify(b)} at the destination`,
  })
  if (from.size !== to.size) return differ('size', 'size', from.size, to.size)
  if (from.checksum !== undefined && to.checksum !== undefined)
    if (from.checksum.algorithm === to.checksum.algorithm && isWhole(from) && isWhole(to))
      if (from.checksum.value !== to.checksum.value)
        return differ('checksum', from.checksum.algorithm, from.checksum.value, to.checksum.value)
  const [left, right] = [set.side('from').capabilities, set.side('to').capabilities]
  for (const name of ATTRIBUTES) {
    if (name === 'storageClass' || (name !== 'contentType' && !(left[name] && right[name]))) continue
    const [a, b] = [canonical(name, from[name]), canonical(name, to[name])]
    if (a !== b) return differ('attributes', name, a, b)
  }
  return undefined
}

/** The text of an attribute; metadata in the order of its names. */
function canonical(
  name: (typeof ATTRIBUTES)[number],
  value: ObjectInfo['contentType'] | ObjectInfo['metadata'],
): string {
  // Supabase stores `no-cache` where nothing is given, also of what went to a store that stores nothing then.
  if (value === undefined || (name === 'cacheControl' && value === 'no-cache')) return ''
  if (typeof value === 'string') return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? '' : JSON.stringify(entries)
}

function isWhole({ checksum }: ObjectInfo): boolean {
  return checksum?.compositeParts === undefined
}

function haveSameSum(from: ObjectInfo, to: ObjectInfo): boolean {
  const [a, b] = [from.checksum, to.checksum]
  return (
    a !== undefined &&
    b !== undefined &&
    isWhole(from) &&
    isWhole(to) &&
    a.algorithm === b.algorithm &&
    a.value === b.value
  )
}

export async function infoOrNone(
  store: StorageProvider,
  key: string,
  options: { signal?: AbortSignal },
): Promise<ObjectInfo | undefined> {
  return store.info(key, options).catch(error => {
    if (isAbsent(error)) return undefined
    throw error
  })
}

async function sha256Of(
  store: StorageProvider,
  key: string,
  options: { signal?: AbortSignal },
): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of await store.download(key, options)) hash.update(chunk)
  return hash.digest('hex')
}
