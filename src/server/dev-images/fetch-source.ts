import { ImageRefusal, unreachable } from './image-refusal.ts'
import type { DevImageSource } from './options.ts'

const MAX_REDIRECTS = 10

/**
 * Asks the origin of `url`, and of what it redirects to, where `origins` has it.
 *
 * @throws a refusal for an origin that is not allowed, and with the origin's status where it refuses
 */
export async function fetchSource(
  url: string,
  origins: readonly string[],
  signal: AbortSignal,
): Promise<DevImageSource> {
  const allowed = new Set(origins.map(origin => new URL(origin).origin))
  let target = urlOf(url)
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (!allowed.has(target.origin))
      throw new ImageRefusal(404, 'Invalid source URL', `${target.origin} is not among origins`)
    const answer = await ask(target, signal)
    const location = answer.headers.get('location')
    if (answer.status < 300 || answer.status > 399 || location === null) return sourceOf(answer)
    await answer.body?.cancel()
    target = urlOf(new URL(location, target).href)
  }
  throw unreachable(`the source redirects more than ${MAX_REDIRECTS} times`)
}

/** Stricter than `URL`, which lets a bare `%` stand: imgproxy does not. */
function urlOf(url: string): URL {
  if (/%(?![0-9a-f]{2})/i.test(url))
    throw unreachable('the source holds a % that begins no escape: encode it')
  if (!URL.canParse(url)) throw unreachable('the source is no URL')
  return new URL(url)
}

async function ask(target: URL, signal: AbortSignal): Promise<Response> {
  const bare = new URL(target)
  const headers = new Headers({ 'user-agent': 'stowage-dev-images' })
  // `fetch` takes no URL with a name and a password in it.
  if (target.username !== '' || target.password !== '') {
    headers.set('authorization', `Basic ${Buffer.from(loginOf(target)).toString('base64')}`)
    bare.username = ''
    bare.password = ''
  }
  try {
    return await fetch(bare, { headers, signal, redirect: 'manual', credentials: 'omit' })
  } catch {
    signal.throwIfAborted()
    throw unreachable(`${target.origin} can't be reached`)
  }
}

function loginOf({ username, password }: URL): string {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  } catch {
    throw unreachable('the name or the password in the source is no escaped UTF-8')
  }
}

async function sourceOf(answer: Response): Promise<DevImageSource> {
  if (answer.status !== 200 || answer.body === null) {
    await answer.body?.cancel()
    const reason = `the origin of the source says ${answer.status}`
    if (answer.status >= 500) throw unreachable(reason, 502)
    throw unreachable(reason, answer.status >= 400 ? answer.status : 404)
  }
  const lastModified = Date.parse(answer.headers.get('last-modified') ?? '')
  return {
    body: answer.body,
    etag: /^(?:W\/)?"(.*)"$/.exec(answer.headers.get('etag') ?? '')?.[1],
    lastModified: Number.isNaN(lastModified) ? undefined : new Date(lastModified),
    contentType: answer.headers.get('content-type') ?? undefined,
  }
}
