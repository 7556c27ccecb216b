import { COMPUTED_ALGORITHMS, type ComputedAlgorithm } from '../../core/checksum.ts'
import type { Attributes } from '../../core/driver.ts'
import { ATTRIBUTES, type OperationOptions } from '../../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'

/** Up to here an object is sent as one piece, which costs one request less where parts would be probed for. */
const WHOLE_BYTES = 4 * 2 ** 20

export interface Carried {
  /** As the destination has it. */
  readonly info: ObjectInfo
  readonly source: ObjectInfo
}

export interface CarryOptions extends OperationOptions {
  readonly target?: string
  readonly attributes?: Attributes
  /** Another way for some objects, by what the source tells of them; undefined: none. */
  readonly otherWay?: (
    source: ObjectInfo,
    attributes: Record<string, unknown>,
  ) => (() => Promise<ObjectInfo>) | undefined
}

/**
 * Copies one object from one store to another, with what the other can keep of its attributes; streamed where it is large. All or
 * nothing, and verified on the way where the source tells a checksum of the whole. @throws `not-found`
 */
export async function carry(
  from: StorageProvider,
  to: StorageProvider,
  key: string,
  options: CarryOptions = {},
): Promise<Carried> {
  const { target = key, attributes, signal, timeoutMs } = options
  const limits = { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) }
  const download = await from.download(key, limits)
  const { info: source } = download
  const other = options.otherWay?.(source, keptBy(to, source))
  if (other !== undefined) {
    download.cancel()
    return { info: await other(), source }
  }
  const { checksum } = source
  const isWhole =
    checksum !== undefined && checksum.compositeParts === undefined && isComputed(checksum.algorithm)
  const info = await to.upload(target, source.size <= WHOLE_BYTES ? await download.bytes() : download, {
    ...keptBy(to, source),
    ...attributes,
    ...(attributes?.metadata === undefined ? {} : { metadata: { ...attributes.metadata } }),
    size: source.size,
    ...(isWhole ? { checksum } : {}),
    ...limits,
  })
  return { info, source }
}

function isComputed(algorithm: string): boolean {
  return COMPUTED_ALGORITHMS.includes(algorithm as ComputedAlgorithm)
}

/** Attributes of `info` that `store` has a place for. A storage class is the source's own business. */
export function keptBy({ capabilities }: StorageProvider, info: ObjectInfo): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const name of ATTRIBUTES) {
    if (name === 'storageClass' || info[name] === undefined) continue
    if (name === 'contentType' || capabilities[name]) kept[name] = info[name]
  }
  return kept
}
