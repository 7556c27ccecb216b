import type { FileHandle } from 'node:fs/promises'
import type { ByteSource } from '../../core/download.ts'
import type { ByteSpan } from '../../core/range.ts'

const READ_BYTES = 256 * 1024

/** The bytes of an open file. It is closed at their end, on a failure, and when nobody wants them any more. */
export function fileSource(
  handle: FileHandle,
  { offset, length }: ByteSpan,
  signal: AbortSignal | undefined,
): ByteSource {
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    // The file is only read: there is nothing that closing could lose.
    handle.close().catch(() => {})
  }
  const readAt = async (position: number, most: number): Promise<Uint8Array> => {
    if (signal?.aborted) throw signal.reason
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(most), 0, most, position)
    return bytesRead === most ? buffer : buffer.subarray(0, bytesRead)
  }
  return {
    async bytes() {
      try {
        const whole = await readAt(offset, length)
        if (whole.length === length || whole.length === 0) return whole
        // Linux reads at most 2 GiB at once.
        const parts = [whole]
        let have = whole.length
        while (have < length) {
          const part = await readAt(offset + have, length - have)
          if (part.length === 0) break
          parts.push(part)
          have += part.length
        }
        return Buffer.concat(parts)
      } finally {
        close()
      }
    },
    async *chunks() {
      const end = offset + length
      try {
        for (let at = offset; at < end; ) {
          const chunk = await readAt(at, Math.min(READ_BYTES, end - at))
          // Somebody has cut the file: who reads it notices that bytes are missing.
          if (chunk.length === 0) return
          at += chunk.length
          yield chunk
        }
      } finally {
        close()
      }
    },
    cancel: close,
  }
}
