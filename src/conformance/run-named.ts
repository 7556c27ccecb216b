import { StorageError } from '../core/errors.ts'
import { CannotRun, ConformanceError } from './assertions.ts'

/**
 * Does a case's work within `timeoutMs`: a case that hangs has failed. What goes wrong is told with the names of who is
 * tested and of the case.
 */
export async function runNamed<T>(
  tested: string,
  id: string,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConformanceError(`no end after ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work(), late])
  } catch (error) {
    if (error instanceof CannotRun) throw error
    throw new ConformanceError(`${tested} fails ${id}: ${problemOf(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function problemOf(error: unknown): string {
  if (error instanceof StorageError && error.key !== undefined)
    return `${error.message} (${error.code}, key ${JSON.stringify(error.key)})`
  return error instanceof Error ? error.message : String(error)
}
