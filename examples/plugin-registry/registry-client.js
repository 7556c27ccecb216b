import { createHash } from 'node:crypto'
import { Refused, withBackoff } from './with-backoff.js'

const TIMEOUT_MS = 60_000
/** Publications that are begun anew because what was sent did not arrive as it was. */
const PUBLICATIONS = 3
const BEGIN_ANEW = new Set(['not-found', 'checksum-mismatch', 'upload-refused'])
/** Answers that another try may better, beside all from 500 on. */
const PASSING = new Set([408, 425, 429])

/** What a publisher and a program with plugins do with a registry. Every request is tried again; each may be, safely. */
export class RegistryClient {
  #url
  #token
  #fetch
  #backoff

  /**
   * @param {string} url of the registry
   * @param {object} [options]
   * @param {string} [options.token] the publish token
   * @param {typeof fetch} [options.fetch]
   * @param {{ sleep?: (ms: number) => Promise<unknown>, random?: () => number }} [options.backoff] as `withBackoff` takes it
   */
  constructor(url, { token, fetch = globalThis.fetch, backoff } = {}) {
    this.#url = url.replace(/\/+$/, '')
    this.#token = token
    this.#fetch = fetch
    this.#backoff = backoff
  }

  /**
   * Publishes, and waits until what was published can be downloaded. Killed at any moment and called again with the same
   * archive, there is one version.
   *
   * @param {{ name: string, version: string, description?: string, archive: Uint8Array, sha256: string }} plugin
   * @param {{ onStep?: (step: string) => unknown }} [options] waited for at each step
   * @returns the version, as the registry shows it
   */
  async publish(plugin, { onStep = () => {} } = {}) {
    for (let publication = 1; ; publication++) {
      try {
        const published = await this.#publishOnce(plugin, onStep)
        await this.#downloadChecked(plugin.name, plugin.version, plugin.sha256)
        await onStep('checked')
        return published
      } catch (error) {
        if (publication === PUBLICATIONS || !BEGIN_ANEW.has(error.code)) throw error
      }
    }
  }

  /** The archive of a version, checked against the registry's word. */
  async download(name, version) {
    const { sha256 } = await this.#ask('GET', `/plugins/${name}/${version}`)
    return this.#downloadChecked(name, version, sha256)
  }

  /** The latest release, and whether it is an update of `current`. */
  check(name, current) {
    return this.#ask('GET', `/plugins/${name}/latest?${new URLSearchParams({ current })}`)
  }

  async #publishOnce({ name, version, description, archive, sha256 }, onStep) {
    const path = `/plugins/${name}/${version}`
    const begun = await this.#ask('POST', path, { sha256, size: archive.length, description })
    await onStep('asked')
    if (begun.published !== undefined) return begun.published
    await this.#send(begun.upload, archive)
    await onStep('sent')
    const published = await this.#ask('PUT', path, { ticket: begun.ticket })
    await onStep('published')
    return published
  }

  /** The bytes go to the store and not through the registry. */
  #send({ url, method, headers }, archive) {
    // `fetch` says the length itself, and some refuse to be told it, too.
    const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length')
    return this.#trying(async attempt => {
      const response = await this.#fetch(url, {
        method,
        headers: Object.fromEntries(others),
        body: archive,
        ...limits(),
      })
      const text = await response.text()
      if (response.ok) return
      if (isPassing(response.status)) throw new Error(`the store answered ${response.status}`)
      // A try whose answer was lost may have stored them: whether they are there, the registry will say.
      if (attempt === 1)
        throw new Refused('upload-refused', `the store answered ${response.status}: ${text.slice(0, 200)}`)
    })
  }

  /** Begins with the redirect each time: a URL may have expired, and the file may have moved to another store. */
  #downloadChecked(name, version, sha256) {
    return this.#trying(async () => {
      const redirect = await this.#fetch(`${this.#url}/plugins/${name}/${version}/download`, {
        redirect: 'manual',
        ...limits(),
      })
      const refusal = await redirect.text()
      const location = redirect.headers.get('location')
      if (location === null) throw failureOf(redirect.status, refusal)
      const response = await this.#fetch(location, limits())
      if (!response.ok) {
        await response.body?.cancel()
        throw new Error(`the store answered ${response.status}`)
      }
      const archive = new Uint8Array(await response.arrayBuffer())
      if (createHash('sha256').update(archive).digest('hex') !== sha256)
        throw new Error('what was downloaded has another checksum')
      return archive
    })
  }

  #ask(method, path, body) {
    return this.#trying(async () => {
      const response = await this.#fetch(this.#url + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        body: body && JSON.stringify(body),
        ...limits(),
      })
      const text = await response.text()
      if (!response.ok) throw failureOf(response.status, text)
      return JSON.parse(text)
    })
  }

  #trying(work) {
    return withBackoff(work, this.#backoff)
  }
}

function limits() {
  return { signal: AbortSignal.timeout(TIMEOUT_MS) }
}

function isPassing(status) {
  return status >= 500 || PASSING.has(status)
}

/** `conflict`: something else happened at the same moment. */
function failureOf(status, text) {
  const { code = 'unknown', message = `it answered ${status}` } = errorIn(text)
  return isPassing(status) || code === 'conflict' ? new Error(message) : new Refused(code, message)
}

function errorIn(text) {
  try {
    return JSON.parse(text).error ?? {}
  } catch {
    return {}
  }
}
