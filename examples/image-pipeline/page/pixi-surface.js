import 'pixi.js/unsafe-eval'
import { Application, ColorMatrixFilter, Sprite, Texture } from 'pixi.js'

const MOST_ZOOM = 8
/** What most graphics cards take, and what is enough for any screen. */
const LARGEST_TEXTURE = 4096

const LOOKS = {
  warm: filter => filter.tint(0xffd9a8, false),
  mono: filter => filter.blackAndWhite(false),
  fade: filter => {
    filter.saturate(-0.4, false)
    filter.brightness(1.1, true)
  },
}

/** A photo as a PixiJS sprite: any picture that is put on it takes the place of the one before, at the same size. */
export class PixiSurface {
  canEdit = true
  #app
  #sprite = new Sprite(Texture.EMPTY)
  #size = { width: 1, height: 1 }
  #zoom = 1
  #centre = { x: 0.5, y: 0.5 }

  static async in(host) {
    const surface = new PixiSurface()
    const app = new Application()
    await app.init({
      // No other: looks are shaders.
      preference: ['webgl'],
      backgroundAlpha: 0,
      autoDensity: true,
      resolution: Math.min(2, devicePixelRatio),
      // Drawn when something has changed: a photo does not move by itself.
      autoStart: false,
      sharedTicker: false,
    })
    surface.#app = app
    surface.#sprite.anchor.set(0.5)
    app.stage.addChild(surface.#sprite)
    host.append(app.canvas)
    new ResizeObserver(() => surface.#fill(host)).observe(host)
    surface.#fill(host)
    app.canvas.setAttribute('role', 'img')
    surface.#listen(app.canvas)
    return surface
  }

  clear({ width, height, alt }) {
    this.#size = { width, height }
    this.#sprite.filters = []
    this.#replace(Texture.EMPTY)
    this.describe(alt)
    this.fit()
  }

  put(picture) {
    this.#replace(Texture.from(withinLimit(picture), true))
    this.#place()
  }

  describe(alt) {
    this.#app.canvas.setAttribute('aria-label', alt || 'Not described yet')
  }

  look(name) {
    const apply = LOOKS[name]
    if (apply === undefined) this.#sprite.filters = []
    else {
      const filter = new ColorMatrixFilter({ resolution: this.#app.renderer.resolution })
      apply(filter)
      this.#sprite.filters = [filter]
    }
    this.#app.render()
  }

  zoomBy(factor) {
    this.#zoom = Math.min(MOST_ZOOM, Math.max(1, this.#zoom * factor))
    this.#place()
  }

  /** By pixels of the screen. */
  moveBy(x, y) {
    this.#centre.x -= x / this.#sprite.width
    this.#centre.y -= y / this.#sprite.height
    this.#place()
  }

  fit() {
    this.#zoom = 1
    this.#centre = { x: 0.5, y: 0.5 }
    this.#place()
  }

  async toBlob() {
    const { texture, filters } = this.#sprite
    const whole = new Sprite(texture)
    whole.filters = filters
    const canvas = this.#app.renderer.extract.canvas({ target: whole, resolution: 1 })
    whole.destroy()
    return new Promise(resolve => canvas.toBlob(resolve, 'image/webp', 0.9))
  }

  #replace(texture) {
    const before = this.#sprite.texture
    this.#sprite.texture = texture
    if (before !== Texture.EMPTY) before.destroy(true)
  }

  #fill({ clientWidth, clientHeight }) {
    this.#app.renderer.resize(Math.max(1, clientWidth), Math.max(1, clientHeight))
    this.#place()
  }

  #place() {
    const { width, height } = this.#app.screen
    const scale = Math.min(width / this.#size.width, height / this.#size.height) * this.#zoom
    this.#sprite.setSize(this.#size.width * scale, this.#size.height * scale)
    this.#centre.x = within(this.#centre.x, width / this.#sprite.width / 2)
    this.#centre.y = within(this.#centre.y, height / this.#sprite.height / 2)
    this.#sprite.position.set(
      width / 2 + (0.5 - this.#centre.x) * this.#sprite.width,
      height / 2 + (0.5 - this.#centre.y) * this.#sprite.height,
    )
    // A photo that is all seen leaves the finger to the page.
    this.#app.canvas.style.touchAction = this.#zoom > 1 ? 'none' : 'pan-y'
    this.#app.render()
  }

  #listen(canvas) {
    const pointers = new Map()
    canvas.addEventListener('pointerdown', event => {
      pointers.set(event.pointerId, event)
      canvas.setPointerCapture(event.pointerId)
    })
    canvas.addEventListener('pointermove', event => {
      const before = pointers.get(event.pointerId)
      if (before === undefined) return
      const other = [...pointers.values()].find(pointer => pointer.pointerId !== event.pointerId)
      if (other !== undefined) this.zoomBy(distance(event, other) / distance(before, other))
      else this.moveBy(event.clientX - before.clientX, event.clientY - before.clientY)
      pointers.set(event.pointerId, event)
    })
    for (const name of ['pointerup', 'pointercancel'])
      canvas.addEventListener(name, event => pointers.delete(event.pointerId))
    canvas.addEventListener(
      'wheel',
      event => {
        if (!event.ctrlKey) return
        event.preventDefault()
        this.zoomBy(Math.exp(-event.deltaY / 200))
      },
      { passive: false },
    )
    canvas.addEventListener('dblclick', () => (this.#zoom > 1 ? this.fit() : this.zoomBy(2)))
  }
}

/** The middle of what is seen, so that no more of the outside is seen than must be. */
function within(centre, half) {
  return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, centre))
}

function distance(one, other) {
  return Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY))
}

function withinLimit(picture) {
  const { naturalWidth: width = picture.width, naturalHeight: height = picture.height } = picture
  const scale = LARGEST_TEXTURE / Math.max(width, height)
  if (scale >= 1) return picture
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height)
  return canvas
}
