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

/** Where an answer says in words what its status does not: it is in its first lines. */
const TEXT_LENGTH = 2000

/**
 * One try. By XMLHttpRequest, as `fetch` tells no progress of what it sends.
 *
 * @param stallMs without a byte that moves for so long, it ends without an answer
 */
export function sendUpload(
  signed: SentSignedUpload,
  file: Blob,
  stallMs: number,
  signal: AbortSignal,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<UploadAnswer> {
  return new Promise(resolve => {
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    let stalled = false
    let timer: ReturnType<typeof setTimeout>
    const moved = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        stalled = true
        request.abort()
      }, stallMs)
    }
    const tell = (loaded: number) => {
      moved()
      try {
        // A form is a little longer than its file.
        onProgress?.({ loaded: Math.min(loaded, file.size), total: file.size })
      } catch {
        // What a listener throws must not fail an upload.
      }
    }
    request.upload.onprogress = event => tell(event.loaded)
    request.onprogress = moved
    request.onloadend = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      const { status, responseText } = request
      if (status >= 200 && status < 300) tell(file.size)
      clearTimeout(timer)
      // To ask for one that CORS hides would be an error in the console.
      const headers = request.getAllResponseHeaders()
      resolve({
        status: stalled ? -1 : status,
        text: responseText.slice(0, TEXT_LENGTH),
        header: name => new RegExp(`^${name}: *"?(.*?)"?\\s*$`, 'im').exec(headers)?.[1],
      })
    }
    request.open(signed.method, signed.url)
    moved()
    signal.addEventListener('abort', stop)
    request.send(bodyOf(signed, file, request))
  })
}

function bodyOf(signed: SentSignedUpload, file: Blob, request: XMLHttpRequest): Blob | FormData {
  if (signed.method === 'PUT') {
    // That one is the browser's to send.
    for (const [name, value] of Object.entries(signed.headers))
      if (!/^content-length$/i.test(name)) request.setRequestHeader(name, value)
    return file
  }
  const form = new FormData()
  for (const [name, value] of Object.entries(signed.fields)) form.append(name, value)
  // The last one: S3 ignores what comes after it.
  form.append('file', file)
  return form
}
