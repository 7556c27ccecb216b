/** An image that is there as a whole: in memory, or in a temporary file. */
export interface ImageFile {
  readonly size: number
  /** All of it, where it is in memory; else it is under `path`. */
  readonly bytes: Uint8Array | undefined
  readonly path: string | undefined
  /** Up to `length` bytes from `at` on: fewer only at the end. */
  read(at: number, length: number): Promise<Uint8Array>
}

export function imageInMemory(bytes: Uint8Array): ImageFile {
  return {
    size: bytes.length,
    bytes,
    path: undefined,
    read: async (at, length) => bytes.subarray(at, at + length),
  }
}
