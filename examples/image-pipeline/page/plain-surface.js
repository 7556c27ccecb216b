/** The stage without WebGL: the same photo as an element, without looks. */
export class PlainSurface {
  canEdit = false
  #host
  #alt = ''
  #scale = 1
  #shift = [0, 0]
  #shown

  constructor(host) {
    this.#host = host
  }

  clear({ alt }) {
    this.#alt = alt
    this.#shown?.remove()
    this.#shown = undefined
    this.fit()
  }

  put(picture) {
    picture.className = 'plain'
    this.#shown?.remove()
    this.#shown = picture
    this.#host.append(picture)
    this.describe(this.#alt)
    this.#place()
  }

  describe(alt) {
    this.#alt = alt
    const name = alt || 'Not described yet'
    if (this.#shown === undefined) return
    if (this.#shown.localName === 'img') this.#shown.alt = name
    this.#shown.setAttribute('role', 'img')
    this.#shown.setAttribute('aria-label', name)
  }

  zoomBy(factor) {
    this.#scale = Math.min(8, Math.max(1, this.#scale * factor))
    this.#place()
  }

  moveBy(x, y) {
    this.#shift = [this.#shift[0] + x, this.#shift[1] + y]
    this.#place()
  }

  fit() {
    this.#scale = 1
    this.#shift = [0, 0]
    this.#place()
  }

  look() {}

  #place() {
    if (this.#scale === 1) this.#shift = [0, 0]
    const [x, y] = this.#shift
    if (this.#shown !== undefined)
      this.#shown.style.transform = `translate(${x}px, ${y}px) scale(${this.#scale})`
  }
}
