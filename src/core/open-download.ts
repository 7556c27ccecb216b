import { assertConditions } from './conditions.ts'
import { deadline, untilEnded } from './deadline.ts'
import { Download } from './download.ts'
import type { Driver, HeadRequest, ReadAnswer } from './driver.ts'
import { invalidArgument } from './errors.ts'
import type { Operations } from './operations.ts'
import type { DownloadOptions } from './options.ts'
import { type HttpRange, httpRange, rangePastEnd } from './range.ts'

const NO_BYTES = { chunks: async function* () {}, cancel() {} }

/** Opens an object whose key has been checked. The deadline covers the body: it is cleared when that has ended. */
export async function openDownload(
  driver: Driver,
  operations: Operations,
  key: string,
  options: DownloadOptions,
): Promise<Download> {
  const range = httpRange(options.range, driver.name)
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function')
    throw invalidArgument('download', driver.name, 'onProgress must be a function')
  const into = memoryFor(range, options.into, driver.name)
  const ends = deadline(options, 'download', driver.name)
  const { signal } = ends
  const toError = (error: unknown) => operations.error(error, 'download', key, signal)
  try {
    const { ifMatch, ifNoneMatch, onProgress } = options
    if (ifMatch !== undefined || ifNoneMatch !== undefined)
      await assertConditions(driver, 'download', options, signal)
    const request = { key, ifMatch, ifNoneMatch, signal }
    const reading =
      range?.kind === 'empty'
        ? openEmpty(driver, request, range.start)
        : driver.read({ ...request, range, into })
    const answer = await untilEnded(reading, signal, late => late.source.cancel()).catch(async error => {
      // Every byte of an empty object's last n is none, which HTTP calls unsatisfiable.
      if (range?.kind === 'suffix' && toError(error).status === 416)
        return openEmptySuffix(driver, request, error)
      throw error
    })
    return new Download({ ...answer, onProgress, signal, toError, onEnd: ends.clear })
  } catch (error) {
    ends.clear()
    throw toError(error)
  }
}

function memoryFor(
  range: HttpRange | undefined,
  into: Uint8Array | undefined,
  provider: string,
): Uint8Array | undefined {
  if (into === undefined) return undefined
  if (!(into instanceof Uint8Array)) throw invalidArgument('download', provider, 'into must be a Uint8Array')
  const length = range?.kind === 'from' && range.end !== undefined ? range.end - range.start + 1 : undefined
  return length === into.length ? into : undefined
}

async function openEmpty(driver: Driver, request: HeadRequest, start: number): Promise<ReadAnswer> {
  const info = await driver.head(request)
  if (start > info.size) throw rangePastEnd(request.key, info.size, driver.name)
  return { info, span: { offset: start, length: 0 }, source: NO_BYTES }
}

async function openEmptySuffix(driver: Driver, request: HeadRequest, refused: unknown): Promise<ReadAnswer> {
  const info = await driver.head(request)
  if (info.size !== 0) throw refused
  return { info, span: { offset: 0, length: 0 }, source: NO_BYTES }
}
