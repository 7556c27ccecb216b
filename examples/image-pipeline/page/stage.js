import { blurhashToDataURL, drawBlurhash } from 'stowage/browser'
import { loadImage } from './load-image.js'
import { PixiSurface } from './pixi-surface.js'
import { PlainSurface } from './plain-surface.js'
import { showBest } from './show-best.js'

/** What the stage shows, from worst to best; `data-shows` says which one it is. */
const STAGES = ['placeholder', 'thumb', 'original']

/**
 * One photo at a time on a canvas by PixiJS, or as an `<img>` where there is no WebGL: its placeholder first, then the
 * thumbnail, then the original. What comes late never replaces something better.
 */
export class Stage {
  #host
  #surface
  #leaving = new AbortController()

  static async in(host) {
    const stage = new Stage()
    stage.#host = host
    try {
      stage.#surface = await PixiSurface.in(host)
    } catch {
      stage.#surface = new PlainSurface(host)
    }
    return stage
  }

  get canEdit() {
    return this.#surface.canEdit
  }

  async show(image) {
    this.#leaving.abort()
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    this.#host.style.setProperty('--ratio', image.width === null ? '1.5' : `${image.width / image.height}`)
    // Where the photo leaves room, its colours.
    const backdrop = blurhashToDataURL(image.blurhash)
    this.#host.style.setProperty('--backdrop', backdrop === '' ? 'none' : `url(${backdrop})`)
    this.#host.dataset.shows = 'nothing'
    this.#surface.clear({ width: image.width ?? 1, height: image.height ?? 1, alt: image.alt })
    const load = url => loadImage(url, signal)
    const stages = [
      () => (image.blurhash === '' ? load(image.blurUrl) : placeholderOf(image.blurhash)),
      () => load(image.thumbUrl),
      // What imgproxy can't make at the moment, the browser may show as it is.
      () => load(image.originUrl).catch(() => load(image.url)),
    ]
    const put = (picture, stage) => {
      this.#surface.put(picture)
      this.#host.dataset.shows = STAGES[stage]
    }
    await showBest(stages, put, signal).catch(error => {
      // Another photo has been chosen: that is no problem of this one.
      if (!signal.aborted) throw error
    })
  }

  describe(alt) {
    this.#surface.describe(alt)
  }

  zoomBy(factor) {
    this.#surface.zoomBy(factor)
  }

  moveBy(x, y) {
    this.#surface.moveBy(x, y)
  }

  fit() {
    this.#surface.fit()
  }

  look(name) {
    this.#surface.look(name)
  }

  /** The photo with its look, in its own size. */
  toBlob() {
    return this.#surface.toBlob()
  }

  leave() {
    this.#leaving.abort()
    this.#surface.clear({ width: 1, height: 1, alt: '' })
  }
}

function placeholderOf(blurhash) {
  return drawBlurhash(blurhash, document.createElement('canvas'))
}
