import { createHash } from 'node:crypto'
import type { ObjectAttributes } from '../../../src/core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../../src/core/provider.ts'

/** What counts of an object. */
export interface Standing {
  readonly sha256: string
  readonly size: number
  readonly attributes: Readonly<Record<string, unknown>>
}

const HEADERS = [
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'contentType',
] as const

export function attributesOf(
  info: ObjectInfo | ObjectAttributes,
  { capabilities }: StorageProvider,
): Record<string, unknown> {
  const named = HEADERS.filter(
    name => info[name] !== undefined && (name === 'contentType' || capabilities[name]),
  )
  return {
    ...Object.fromEntries(named.map(name => [name, info[name]])),
    metadata: Object.fromEntries(Object.entries(info.metadata ?? {}).sort()),
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** All objects of a store, each read whole. */
export async function standingIn(
  store: StorageProvider,
  keptBy: StorageProvider = store,
): Promise<Map<string, Standing>> {
  const keys: string[] = []
  for await (const entry of store.list()) if (entry.kind === 'object') keys.push(entry.key)
  const found = new Map<string, Standing>()
  const rest = [...keys].reverse()
  const read = async () => {
    for (let key = rest.pop(); key !== undefined; key = rest.pop()) {
      const download = await store.download(key)
      const bytes = await download.bytes()
      const attributes = attributesOf(download.info, keptBy)
      found.set(key, { sha256: sha256Of(bytes), size: bytes.length, attributes })
    }
  }
  await Promise.all(Array.from({ length: 8 }, read))
  return new Map(keys.map(key => [key, found.get(key)!]))
}

/**
 * What is not in `actual` as it is in `expected`, a line each. An attribute that was not sent may be anything, since
 * stores have defaults.
 */
export function differences(
  expected: ReadonlyMap<string, Standing>,
  actual: ReadonlyMap<string, Standing>,
): string[] {
  return [...expected].flatMap(([key, object]) => {
    const shown = JSON.stringify(key)
    const found = actual.get(key)
    if (found === undefined) return [`${shown} is lost`]
    if (found.sha256 !== object.sha256) return [`${shown} has other bytes: ${found.size} for ${object.size}`]
    return Object.entries(object.attributes)
      .filter(([name, value]) => JSON.stringify(found.attributes[name]) !== JSON.stringify(value))
      .map(
        ([name, value]) =>
          `${shown} has ${name} ${JSON.stringify(found.attributes[name])} for ${JSON.stringify(value)}`,
      )
  })
}
