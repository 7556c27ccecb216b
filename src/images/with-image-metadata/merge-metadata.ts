import { MAX_METADATA_BYTES } from '../../core/metadata.ts'

/** `ours` where the caller has not said otherwise; names do not differ by case. */
export function mergeMetadata(
  ours: Record<string, string>,
  given: Record<string, string> | undefined,
): Record<string, string> {
  const taken = new Set(Object.keys(given ?? {}).map(name => name.toLowerCase()))
  const kept = Object.entries(ours).filter(([name]) => !taken.has(name))
  return { ...Object.fromEntries(kept), ...given }
}

/** Whether a store takes so much metadata. */
export function fits(metadata: Record<string, string>): boolean {
  let bytes = 0
  for (const [name, value] of Object.entries(metadata))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  return bytes <= MAX_METADATA_BYTES
}
