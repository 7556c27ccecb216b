import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FetchHandler } from './options.ts'

/** As node:http, Express and connect call it. In Express `next` is never called: every request is answered. */
export type NodeHandler = (
  request: IncomingMessage & { originalUrl?: string },
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => Promise<void>

/** A refused upload is read on so far, since a client that still sends may never look at its answer. */
const LINGER_BYTES = 16 * 1024 * 1024
const LINGER_MS = 5_000
/** What `Request` refuses to be made with. */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])

/**
 * Lets node:http, and what is built on it, call a fetch-style handler. Bodies stream both ways at the pace of the
 * slower side; a client that goes away aborts the request's signal, which ends what the store is doing for it.
 *
 * @example
 * ```ts
 * http.createServer(toNodeHandler(fileServer(files, { signing }))).listen(8080)
 * ```
 */
export function toNodeHandler(handler: FetchHandler): NodeHandler {
  return async (incoming, outgoing, next) => {
    const gone = new AbortController()
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort(new Error('the client has gone away'))
    })
    try {
      if (FORBIDDEN_METHODS.has(incoming.method ?? '')) {
        outgoing.writeHead(405, { allow: 'GET, HEAD, PUT, DELETE, OPTIONS' }).end()
        return
      }
      await send(await handler(toRequest(incoming, gone.signal)), incoming, outgoing)
    } catch (error) {
      if (gone.signal.aborted) return
      if (outgoing.headersSent) outgoing.destroy()
      else if (next !== undefined) next(error)
      else outgoing.writeHead(500).end()
    }
  }
}

function toRequest(incoming: IncomingMessage & { originalUrl?: string }, signal: AbortSignal): Request {
  const { method = 'GET' } = incoming
  const hasBody =
    incoming.headers['content-length'] !== undefined || incoming.headers['transfer-encoding'] !== undefined
  if (hasBody && method === 'PUT' && incoming.readableDidRead)
    throw new Error('the body has been read already: mount the file server before body parsers')
  const headers = new Headers()
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    if (!name.startsWith(':')) for (const value of values ?? []) headers.append(name, value)
  }
  // Express cuts the mount path off `url`. A path is appended, not resolved: `//a` is a key here and no host.
  const path = (incoming.originalUrl ?? incoming.url ?? '/').replace(/^https?:\/\/[^/]*/, '')
  const encrypted = (incoming.socket as { encrypted?: boolean }).encrypted === true
  const host = /^[\w.:[\]-]+$/.exec(headers.get('host') ?? '')?.[0] ?? 'localhost'
  const streamed = hasBody && method !== 'GET' && method !== 'HEAD'
  return new Request(`${encrypted ? 'https' : 'http'}://${host}${path}`, {
    method,
    headers,
    signal,
    ...(streamed ? { body: bodyOf(incoming), duplex: 'half' } : {}),
  } as RequestInit)
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  // Kept alive when it is given up: the answer goes out over the same socket.
  const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

async function send(answer: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = answer.status
  answer.headers.forEach((value, name) => {
    outgoing.setHeader(name, value)
  })
  const unread = !incoming.complete
  if (unread) outgoing.setHeader('connection', 'close')
  if (answer.body === null || incoming.method === 'HEAD') {
    await answer.body?.cancel()
    outgoing.flushHeaders()
  } else {
    await pump(answer.body, outgoing)
  }
  if (unread) await linger(incoming)
  outgoing.end()
}

async function pump(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader()
  let wake: (() => void) | undefined
  const onClose = () => {
    wake?.()
    void reader.cancel().catch(() => {})
  }
  outgoing.once('close', onClose)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || outgoing.destroyed) return
      if (!outgoing.write(value)) {
        await new Promise<void>(resolve => {
          wake = resolve
          outgoing.once('drain', resolve)
        })
      }
    }
  } finally {
    outgoing.off('close', onClose)
  }
}

/** Reads on what the client still sends, within limits, so that closing the socket does not eat the answer. */
function linger(incoming: IncomingMessage): Promise<void> {
  return new Promise(resolve => {
    let read = 0
    const timer = setTimeout(resolve, LINGER_MS)
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    incoming.on('data', (chunk: Uint8Array) => {
      read += chunk.length
      if (read > LINGER_BYTES) end()
    })
    incoming.once('end', end).once('close', end).once('error', end)
    if (incoming.destroyed || incoming.readableEnded) end()
  })
}
