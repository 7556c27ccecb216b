import { randomUUID } from 'node:crypto'
import { Sealed } from './sealed.js'

const COOKIE = 'image_pipeline'
const YEAR_SECONDS = 365 * 86_400

/**
 * Who is asking: an id in a sealed cookie, made at the first visit. It stands where your login stands: a browser is a
 * user here.
 */
export class Sessions {
  #sealed
  #attributes

  constructor(secret, { isSecure }) {
    this.#sealed = new Sealed(secret, 'session')
    this.#attributes = `Path=/; Max-Age=${YEAR_SECONDS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  }

  /** The user of this request; a new one is told its cookie with the answer. */
  userOf(request, response) {
    const known = this.#sealed.open(cookieOf(request))
    if (known?.userId !== undefined) return known.userId
    const userId = randomUUID()
    response.setHeader('set-cookie', `${COOKIE}=${this.#sealed.seal({ userId })}; ${this.#attributes}`)
    return userId
  }
}

function cookieOf({ headers }) {
  const pairs = (headers.cookie ?? '').split(/; */)
  return pairs.find(pair => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
}
