import type { RangeSource } from '../core/resumable-upload.ts'
import type { Fault } from './fault-plan.ts'

/** The same bytes; `alive` is called whenever some of them have come. */
export function watchedSource(source: RangeSource, alive: () => void): RangeSource {
  if (!isSource(source)) return source
  return {
    size: source.size,
    async read(start, end, signal) {
      const given = await source.read(start, end, signal)
      alive()
      return given instanceof Uint8Array ? given : watched(given, alive)
    },
  }
}

async function* watched(chunks: AsyncIterable<Uint8Array>, alive: () => void) {
  for await (const chunk of chunks) {
    alive()
    yield chunk
  }
}

/** The same bytes up to some point; what would reach beyond it fails. */
export function cutRanges(source: RangeSource, fault: Fault): RangeSource {
  if (!isSource(source)) return source
  const cut = Math.floor(fault.at * source.size)
  return {
    size: source.size,
    async read(start, end, signal) {
      if (end > cut) throw fault.error()
      return source.read(start, end, signal)
    },
  }
}

/** What is no source is passed on, to be refused. */
function isSource(source: RangeSource): boolean {
  return typeof source === 'object' && source !== null && typeof source.read === 'function'
}
