import { createHash } from 'node:crypto'
import { Refusal } from '../image-pipeline/refusal.js'
import { parseVersion } from './plugin-version.js'

/** Most bytes of one plugin. */
export const MOST_BYTES = 25 * 1024 * 1024
const MOST_DESCRIPTION = 500
const TYPE = 'application/gzip'
/** A version never changes: who has it need not ask again. */
const CACHE_CONTROL = 'public, max-age=31536000, immutable'
const UPLOAD_SECONDS = 15 * 60
const DOWNLOAD_SECONDS = 60 * 60

/**
 * Versions of plugins: a row here and a file there, which come in one batch. A version is published once and never
 * changes: the same content again is fine, another one is refused.
 */
export class Registry {
  #files
  #versions
  #tickets
  #now

  constructor({ files, versions, tickets, now = Date.now }) {
    this.#files = files
    this.#versions = versions
    this.#tickets = tickets
    this.#now = now
  }

  /**
   * The first half of publishing: where to send the bytes, and the ticket for the second half. Where this very content is
   * published already, that version instead.
   */
  async begin(name, version, { sha256, size, description = '' }) {
    parseVersion(version)
    if (!/^[0-9a-f]{64}$/.test(sha256))
      throw invalid('sha256 must be the SHA-256 of the archive: 64 digits, lower case.')
    if (!Number.isSafeInteger(size) || size < 1) throw invalid('size must be a number of bytes.')
    if (size > MOST_BYTES)
      throw new Refusal(413, 'too-large', `Plugins may have ${MOST_BYTES / 1024 ** 2} MB at most.`)
    if (typeof description !== 'string' || description.length > MOST_DESCRIPTION)
      throw invalid(`description must be a text of at most ${MOST_DESCRIPTION} characters.`)
    const published = await this.#published(name, version, sha256)
    if (published !== undefined) return { published }
    const { uploadId, ...upload } = await this.#files.signedUpload(keyOf(name, version), {
      ...limitsOf(this.#files.capabilities.signedUpload, size),
    })
    return { upload, ticket: this.#tickets.seal({ uploadId, name, version, sha256, size, description }) }
  }

  /** The second half: the bytes are checked, and become the version. Twice gives the same version. */
  async finish(name, version, ticket) {
    const { uploadId, ...wanted } = this.#tickets.open(ticket) ?? {}
    if (wanted.name !== name || wanted.version !== version)
      throw new Refusal(403, 'permission-denied', 'This ticket is for another version.')
    const { sha256 } = wanted
    const published = await this.#published(name, version, sha256)
    if (published !== undefined) return published
    const row = { ...wanted, ...parseVersion(version), publishedAt: this.#now() }
    try {
      await this.#files.finalize(uploadId, {
        ifNoneMatch: '*',
        checksum: { algorithm: 'sha256', value: sha256 },
        contentType: TYPE,
        cacheControl: CACHE_CONTROL,
        also: [this.#versions.insert(row)],
      })
    } catch (error) {
      // Another call may have published it: that of somebody who tries again, or of somebody else.
      const other = await this.#published(name, version, sha256)
      if (other === undefined) throw error
      return other
    }
    return this.#published(name, version, sha256)
  }

  /** One version, or a refusal with 404. */
  async find(name, version) {
    const row = await this.#versions.find(name, parseVersion(version).version)
    if (row === undefined) throw new Refusal(404, 'not-found', 'There is no such version.')
    return shown(row)
  }

  /** Yanked versions, too: who has written one down gets it. */
  async downloadUrl(name, version) {
    const key = keyOf(name, parseVersion(version).version)
    const options = { expiresIn: DOWNLOAD_SECONDS, download: `${name}-${version}.tgz` }
    return (await this.#files.signedUrl(key, options)).url
  }

  /** What a program asks at its start: whether there is something newer than `current`. */
  async check(name, current) {
    const row = await this.#versions.latest(name)
    if (row === undefined) throw new Refusal(404, 'not-found', 'There is no such plugin.')
    const update = current === undefined || parseVersion(current).sortKey < row.sort_key
    const { version, sha256, size } = shown(row)
    const answer = { name, version, sha256, size, update }
    const etag = `"${createHash('sha256').update(JSON.stringify(answer)).digest('base64url')}"`
    return { answer, etag }
  }

  async versions(name) {
    return (await this.#versions.all(name)).map(shown)
  }

  async plugins(wanted) {
    return (await this.#versions.plugins(wanted)).map(shown)
  }

  /** Yanked: not offered any more, and still there for who has it. */
  async setYanked(name, version, yanked) {
    await this.find(name, version)
    await this.#versions.setYanked(name, version, yanked)
    return this.find(name, version)
  }

  async #published(name, version, sha256) {
    const row = await this.#versions.find(name, version)
    if (row === undefined) return undefined
    if (row.sha256 !== sha256)
      throw new Refusal(409, 'already-exists', 'This version is published with another content.')
    return shown(row)
  }
}

/** A path per plugin, so that a person finds it in the bucket. */
function keyOf(name, version) {
  return `plugins/${name}/${version}.tgz`
}

function shown({ name, version, sha256, size, description, yanked, published_at }) {
  return {
    name,
    version,
    sha256,
    size: Number(size),
    description,
    yanked: yanked === 1n,
    publishedAt: new Date(Number(published_at)).toISOString(),
  }
}

/** What this store can be told to enforce by itself; the rest is seen when the upload is finished. */
function limitsOf(able, size) {
  const limit = able.size ? { size } : able.maxSize ? { maxSize: size } : {}
  return {
    ...limit,
    ...(able.contentType ? { contentType: TYPE } : {}),
    ...(able.choosesExpiry ? { expiresIn: UPLOAD_SECONDS } : {}),
  }
}

function invalid(message) {
  return new Refusal(400, 'invalid-argument', message)
}
