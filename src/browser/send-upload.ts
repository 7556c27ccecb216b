import { plainError } from '../core/plain-error.ts'
import type { SentSignedUpload } from './upload-direct.ts'

export interface Progress {
  /** Bytes of the file that have gone. */
  readonly loaded: number
  readonly total: number
}

export interface UploadAnswer {
  /** 0: none came. -1: nothing moved any more. */
  readonly status: number
  readonly text: string
  /** A header that the page may see, without quotes. */
  readonly header: (name: string) => string | undefined
}

/**
 * One try. By XMLHttpRequest, as `fetch` tells no progress of what it sends.
 *
 * @param stallMs without a byte that moves for so long, it ends without an answer
 */
export function sendUpload(
  signed: SentSignedUpload,
  file: Blob,
  stallMs: number,
  ended: AbortSignal,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<UploadAnswer> {
  return new Promise(resolve => {
    const request = new XMLHttpRequest()
    let stalled = false
    let timer: ReturnType<typeof setTimeout>
    const moved = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        stalled = true
        request.abort()
      }, stallMs)
    }
    request.upload.onprogress = ({ loaded }) => {
      moved()
      // A form is a little longer than its file.
      onProgress?.({ loaded: Math.min(loaded, file.size), total: file.size })
    }
    request.onprogress = moved
    request.onloadend = () => {
      clearTimeout(timer)
      // To ask for one that CORS hides would be an error in the console.
      const headers = request.getAllResponseHeaders()
      resolve({
        status: stalled ? -1 : request.status,
        // What it says in words is in its first lines.
        text: request.responseText.slice(0, 2000),
        header: name => new RegExp(`^${name}: *"?(.*?)"?\\s*$`, 'im').exec(headers)?.[1],
      })
    }
    ended.addEventListener('abort', () => request.abort())
    const body = openedFor(signed, file, request)
    moved()
    request.send(body)
  })
}

/** Opens the request; returns what it shall send. */
function openedFor(signed: SentSignedUpload, file: Blob, request: XMLHttpRequest): Blob | FormData {
  const { method, url } = signed
  const parts = method === 'PUT' ? signed.headers : method === 'POST' ? signed.fields : undefined
  if (!parts || !url) throw plainError('uploadDirect', 'no signed upload was given')
  request.open(method, url)
  const form = new FormData()
  for (const [name, value] of Object.entries(parts))
    if (method === 'POST') form.append(name, value)
    // That one is the browser's to send.
    else if (!/^content-length$/i.test(name)) request.setRequestHeader(name, value)
    else if (Number(value) !== file.size) throw plainError('uploadDirect', 'another size was signed')
  if (method === 'PUT') return file
  // The last one: S3 ignores what comes after it.
  form.append('file', file)
  return form
}
