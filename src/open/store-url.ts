import { fileURLToPath } from 'node:url'
import { StorageError } from '../core/errors.ts'
import { decodePart } from './decode-part.ts'

/** The stores that `open` knows, with the parameters that each takes after a `?`. */
export const STORE_PARAMETERS = {
  file: [],
  memory: [],
  s3: ['endpoint', 'region', 'forcePathStyle', 'profile', 'publicBaseUrl', 'storeName'],
  supabase: ['url', 'keyEncoding'],
} as const

export type StoreKind = keyof typeof STORE_PARAMETERS

export interface StoreUrl {
  readonly kind: StoreKind
  /** The folder of `file:`, the name of `memory:`, the bucket of the others. */
  readonly name: string
  /** Beginning of all keys, with a slash at its end; empty for the whole bucket. */
  readonly prefix: string
  readonly parameters: Readonly<Record<string, string>>
}

const FORMS = 'file:./dir, memory:, s3://bucket/prefix?region=… or supabase://bucket/prefix'
/** Parameters whose value would let its reader in: they belong into the environment, not into a process list. */
const SECRET_PARAMETER = /key(?!Encoding)|secret|token|passw|credential|signature/i

/** Whether this looks like a store and not like a path: for programs that take both. */
export function isStoreUrl(text: string): boolean {
  return /^(?:file|memory|s3|supabase):/.test(text)
}

/**
 * Reads the URL of a store. Names are percent-decoded once.
 *
 * @throws `invalid-argument` for an unknown form or parameter, and for secrets, which it does not repeat
 */
export function parseStoreUrl(url: string): StoreUrl {
  if (typeof url !== 'string') throw refuse('the URL of a store must be a string')
  const match = /^([a-z0-9+.-]+):([^?#]*)(?:\?([^#]*))?(#.*)?$/is.exec(url)
  const kind = match?.[1]?.toLowerCase() as StoreKind
  if (match === null || !Object.hasOwn(STORE_PARAMETERS, kind))
    throw refuse(`this is no URL of a store; known are ${FORMS}`)
  const [, , location = '', query = '', fragment] = match
  // A password may hold a slash, before which there is a colon then: no bucket has one.
  const bare = kind === 's3' || kind === 'supabase' ? /^\/\/[^/]*[@:]/ : /^\/\/[^/]*@/
  if (bare.test(location))
    throw refuse(`a ${kind} URL holds no user and no password; give secrets by the environment`)
  if (fragment !== undefined) throw refuse('a # in a name must be written %23')
  const parameters = readParameters(kind, query)
  if (kind === 'file') return { kind, name: folderOf(location), prefix: '', parameters }
  if (kind === 'memory') return { kind, name: decodePart(location, refuse), prefix: '', parameters }
  const [, bucket, path] = /^\/\/([^/]+)(?:\/(.*))?$/s.exec(location) ?? []
  if (bucket === undefined) throw refuse(`name the bucket: ${kind}://bucket or ${kind}://bucket/prefix`)
  const prefix = decodePart(path ?? '', refuse)
  return {
    kind,
    name: decodePart(bucket, refuse),
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    parameters,
  }
}

function readParameters(kind: StoreKind, query: string): Record<string, string> {
  const known: readonly string[] = STORE_PARAMETERS[kind]
  const parameters: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (known.includes(name)) {
      if (name in parameters) throw refuse(`${name} is given twice`)
      if (/^\s*[a-z][a-z0-9+.-]*:[\\/]*[^\\/?#]*@/i.test(value))
        throw refuse(`${name} holds a user or a password; give secrets by the environment`)
      parameters[name] = value
    } else if (SECRET_PARAMETER.test(name)) {
      throw refuse(`a ${kind} URL holds no keys and no secrets; give them by the environment`)
    } else {
      const hint = known.length === 0 ? 'it takes none' : `known are ${known.join(', ')}`
      throw refuse(`a ${kind} URL does not know the parameter '${name.slice(0, 40)}'; ${hint}`)
    }
  }
  return parameters
}

function folderOf(location: string): string {
  if (location.startsWith('//')) {
    if (!location.startsWith('///'))
      throw refuse('file:// takes an absolute path: file:///srv/data; relative is file:./data')
    return fileURLToPath(`file:${location}`)
  }
  if (location === '') throw refuse('name the folder: file:./data')
  return decodePart(location, refuse)
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `open: ${problem}`, { operation: 'open' })
}
