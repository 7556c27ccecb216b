import type { CorsOptions } from './options.ts'

const METHODS = 'GET, HEAD, PUT, DELETE'
/** Headers that a script may read beyond the few that it always may. */
const EXPOSED = 'ETag, Content-Range, Accept-Ranges, Content-Disposition, Retry-After'

/** `response` with what lets scripts of an allowed origin see it (Fetch standard, 3.2). */
export function withCors(response: Response, request: Request, cors: CorsOptions | undefined): Response {
  if (cors === undefined) return response
  if (cors.origins !== '*') response.headers.append('vary', 'Origin')
  const origin = allowedOrigin(request, cors)
  if (origin === undefined) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', EXPOSED)
  return response
}

/** Answers OPTIONS, which carries no signature: it says what may be asked, not whether it will be granted. */
export function preflight(request: Request, cors: CorsOptions | undefined): Response {
  const headers = new Headers({ allow: `${METHODS}, OPTIONS` })
  const asked = request.headers.get('access-control-request-headers')
  if (cors !== undefined && allowedOrigin(request, cors) !== undefined) {
    headers.set('access-control-allow-methods', METHODS)
    // No header is trusted for itself, so all may be sent.
    if (asked !== null) headers.set('access-control-allow-headers', asked)
    headers.set('access-control-max-age', String(cors.maxAgeSeconds ?? 600))
    headers.set('vary', 'Access-Control-Request-Headers')
  }
  return new Response(null, { status: 204, headers })
}

function allowedOrigin(request: Request, { origins }: CorsOptions): string | undefined {
  if (origins === '*') return '*'
  const origin = request.headers.get('origin')
  return origin !== null && origins.includes(origin) ? origin : undefined
}
