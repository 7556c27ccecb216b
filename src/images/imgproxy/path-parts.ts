import { type CompiledOptions, cacheBusterSegment, compileOptions } from './compile-options.ts'
import { assertAhead, expirySeconds, windowEnd } from './expiry.ts'
import type { CallOptions, ImageOptions } from './image-options.ts'
import { refusal } from './refusal.ts'
import type { Settings } from './settings.ts'
import type { SourceRules } from './source.ts'

const MARKER: Readonly<Record<SourceRules['encoding'], string>> = {
  plain: '/plain/',
  base64: '/',
  encrypted: '/enc/',
}

/** A path without its source, prepared once: what both twins have in common. */
export class PathParts {
  /** What is behind the source. */
  readonly after: string
  /** What is before it, where that is the same each time. */
  readonly fixed: string | undefined
  readonly #compiled: CompiledOptions
  readonly #settings: Settings
  readonly #marker: string

  constructor(options: ImageOptions, settings: Settings) {
    const compiled = compileOptions(options, settings)
    const { encoding } = settings.source
    this.#compiled = compiled
    this.#settings = settings
    this.#marker = MARKER[encoding]
    this.after = compiled.extension === '' ? '' : `${encoding === 'plain' ? '@' : '.'}${compiled.extension}`
    const everlasting =
      compiled.expires === 0 || (compiled.expires === undefined && settings.ttlSeconds === undefined)
    this.fixed = everlasting ? this.#before(compiled.cacheBuster, 0) : undefined
  }

  /** What is before `source` this time. @throws `invalid-argument` where the end has passed meanwhile */
  before(source: string, call: CallOptions | undefined): string {
    if (call !== undefined) return this.#changed(source, call)
    if (this.fixed !== undefined) return this.fixed
    return this.#before(this.#compiled.cacheBuster, this.#end(source, this.#compiled.expires))
  }

  #changed(source: string, call: CallOptions): string {
    for (const name in call)
      if (name !== 'cacheBuster' && name !== 'expires')
        throw refusal(
          `'${name}' must be told when the preset is made: only cacheBuster and expires change with a call`,
        )
    const { cacheBuster, expires } = call
    if (this.#settings.onlyPresets && (cacheBuster !== undefined || expires !== undefined))
      throw refusal('cacheBuster and expires cannot be told a server that takes only presets')
    return this.#before(
      cacheBuster === undefined ? this.#compiled.cacheBuster : cacheBusterSegment(cacheBuster),
      expires === undefined
        ? this.#end(source, this.#compiled.expires)
        : expirySeconds(expires, this.#settings),
    )
  }

  #end(source: string, expires: number | undefined): number {
    const { now, ttlSeconds, ttlWindowSeconds } = this.#settings
    if (expires !== undefined) {
      assertAhead(expires, this.#settings)
      return expires
    }
    return ttlSeconds === undefined ? 0 : windowEnd(now(), ttlSeconds, ttlWindowSeconds!, source)
  }

  #before(cacheBuster: string, end: number): string {
    const { head, tail } = this.#compiled
    return `${head}${cacheBuster}${end === 0 ? '' : `/exp:${end}`}${tail}${this.#marker}`
  }
}
