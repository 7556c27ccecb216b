/** A request costs as much as so many bytes of body, about. */
const REQUEST_BYTES = 256 * 1024

/** What copying so many bytes counts for when throughput is measured: objects of all sizes come mixed. */
export function workOf(bytes: number): number {
  return 1 + bytes / REQUEST_BYTES
}
