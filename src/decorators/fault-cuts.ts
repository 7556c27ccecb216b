import type { UploadBody } from '../core/body.ts'
import type { ByteSource } from '../core/download.ts'
import type { Fault } from './fault-plan.ts'

/** The same bytes up to some point, then the fault. */
export function cutSource(source: ByteSource, length: number, fault: Fault): ByteSource {
  const end = Math.floor(fault.at * length)
  return {
    cancel: () => source.cancel(),
    async *chunks() {
      let left = end
      for await (const chunk of source.chunks()) {
        if (chunk.length > left) {
          if (left > 0) yield chunk.subarray(0, left)
          break
        }
        left -= chunk.length
        yield chunk
      }
      throw fault.error()
    },
  }
}

/** The same body up to some point, then the fault. What is no body is passed on, to be refused. */
export function cutBody(body: UploadBody, fault: Fault): UploadBody {
  const whole = sliceable(body)
  if (whole !== undefined) {
    const part = whole.slice(0, Math.floor(fault.at * whole.size))
    return failing(part.stream() as unknown as AsyncIterable<Uint8Array>, Number.POSITIVE_INFINITY, fault)
  }
  const stream = body as AsyncIterable<Uint8Array | string>
  const isStream = typeof body === 'object' && body !== null && Symbol.asyncIterator in body
  // Nobody knows where its middle is: within its first four chunks.
  return isStream ? failing(stream, Math.floor(fault.at * 4), fault) : body
}

function sliceable(body: UploadBody): Blob | undefined {
  if (body instanceof Blob) return body
  const bytes = typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body)
  return bytes ? new Blob([body as string]) : undefined
}

async function* failing(source: AsyncIterable<Uint8Array | string>, chunks: number, fault: Fault) {
  let given = 0
  for await (const chunk of source) {
    if (given++ >= chunks) break
    yield chunk
  }
  throw fault.error()
}
