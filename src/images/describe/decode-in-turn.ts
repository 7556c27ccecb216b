import { availableParallelism } from 'node:os'
import { deadline, endedError, untilEnded } from '../../core/deadline.ts'
import { Semaphore } from '../../decorators/semaphore.ts'

let places: Semaphore | undefined

/**
 * Runs `decode` when it is its turn: so many at once as the machine can do, others wait, first come, first served. Its time
 * runs from then on, so that an image does not pay for those before it. A decoder that can't be stopped keeps its place
 * until it has ended.
 *
 * @throws `timeout`, `aborted`; what `decode` throws
 */
export async function decodeInTurn<T>(
  decode: () => Promise<T>,
  { signal, timeoutMs }: { signal: AbortSignal | undefined; timeoutMs: number },
): Promise<T> {
  places ??= new Semaphore(decodersAtOnce(), Infinity)
  const release = await places.acquire(signal).catch(() => {
    throw endedError(signal!, 'describe', 'images')
  })
  const decoding = decode()
  decoding.then(release, release)
  const ends = deadline({ signal, timeoutMs }, 'describe', 'images')
  try {
    return await untilEnded(decoding, ends.signal)
  } catch (error) {
    if (ends.signal?.aborted && error === ends.signal.reason)
      throw endedError(ends.signal, 'describe', 'images')
    throw error
  } finally {
    ends.clear()
  }
}

/** Each takes a thread of Node's pool. Files and names of hosts need one, too, or all of them stand still. */
function decodersAtOnce(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4
  return Math.max(1, Math.min(availableParallelism(), threads - 1))
}
