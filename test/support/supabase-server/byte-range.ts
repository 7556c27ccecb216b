/** Ranges as MinIO reads them, and as the server's own file backend does. */
import { failures } from './storage-failure.ts'

export interface ByteRange {
  start: number
  /** Inclusive. */
  end: number
}

/** The range to serve; undefined where the whole object is. */
export function byteRange(
  value: string | undefined,
  size: number,
  blobStore: 's3' | 'file',
): ByteRange | undefined {
  if (value === undefined) return undefined
  const match = /^bytes=(\d*)-(\d*)$/.exec(value)
  const [, first = '', last = ''] = match ?? []
  const senseless = !match || (first === '' && last === '') || (first && last && Number(last) < Number(first))
  if (senseless) {
    if (blobStore === 'file') throw failures.invalidRange()
    return undefined
  }
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start >= size || start > end) throw blobStore === 'file' ? failures.invalidRange() : failures.internal()
  return { start, end }
}
