/** What tests run inside the page of `examples/image-pipeline`. Each function stands for itself: it is sent as a text. */

/** @param {Element} element */
export function placeholderOf(element) {
  const { width, height } = element.getBoundingClientRect()
  return { image: getComputedStyle(element).backgroundImage, ratio: width / height }
}

/** @param {Element} element */
export function outlineOf(element) {
  return getComputedStyle(element).outlineStyle
}

/** Its size, and whether the middle of its upper half is red. @param {HTMLImageElement} image */
export function pixelsOf(image) {
  const canvas = document.createElement('canvas')
  canvas.width = image.naturalWidth
  canvas.height = image.naturalHeight
  const context = canvas.getContext('2d')
  context.drawImage(image, 0, 0)
  const [red, , blue] = context.getImageData(canvas.width / 2, canvas.height / 4, 1, 1).data
  return { size: [canvas.width, canvas.height], isTopRed: red > 150 && blue < 100, src: image.src }
}

/** @returns {Promise<void>} */
export function twoFrames() {
  return new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))
}

/** @returns {Promise<import('./image-pipeline-server.ts').ShownImage>} */
export async function shownImage() {
  const id = new URLSearchParams(location.search).get('image')
  return (await fetch(`/images/${id}`)).json()
}

/** @returns {Promise<import('./image-pipeline-server.ts').ShownImage[]>} */
export async function feedImages() {
  return (await (await fetch('/feed')).json()).images
}

/** All words by which the focused element is known. */
export function focusedName() {
  const element = document.activeElement
  const label = element.id ? document.querySelector(`label[for="${element.id}"]`)?.textContent : ''
  const image = element.querySelector('img')?.alt
  return [element.getAttribute('aria-label'), label, image, element.textContent].join('|')
}

/** As if a photo had been dropped on the page, or pasted. @param {{ kind: string, name: string, base64: string }} given */
export function bringPhoto({ kind, name, base64 }) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
  const data = new DataTransfer()
  data.items.add(new File([bytes], name, { type: 'image/jpeg' }))
  const how = { bubbles: true, cancelable: true }
  document.body.dispatchEvent(
    kind === 'drop'
      ? new DragEvent('drop', { dataTransfer: data, ...how })
      : new ClipboardEvent('paste', { clipboardData: data, ...how }),
  )
}

/** As a browser whose graphics card is not trusted. */
export function withoutWebGl() {
  for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) {
    const getContext = prototype.getContext
    prototype.getContext = function (kind, ...more) {
      return kind.startsWith('webg') ? null : getContext.call(this, kind, ...more)
    }
  }
}

/** Where tiles are, to the pixel. @param {Element[]} tiles */
export function placesOf(tiles) {
  return tiles.map(tile => {
    const { x, y, width, height } = tile.getBoundingClientRect()
    return [x, y, width, height].map(Math.round)
  })
}

/** Pictures without words, and what can be used but has no name. */
export function unnamed() {
  const nameOf = element =>
    [
      element.getAttribute('aria-label'),
      element.textContent?.trim(),
      ...[...(element.labels ?? [])].map(label => label.textContent?.trim()),
      ...[...element.querySelectorAll('img')].map(image => image.alt),
    ].join('')
  const used = 'a, button, input, select, textarea, progress, canvas, [tabindex="0"]'
  const nameless = [...document.querySelectorAll(used)].filter(element => nameOf(element) === '')
  const pictures = [...document.querySelectorAll('img')].filter(
    image => !image.hasAttribute('alt') || (image.alt === '' && image.closest('[aria-label]') === null),
  )
  return [...nameless, ...pictures].map(element => element.outerHTML.slice(0, 120))
}

/** Texts on a plain ground whose contrast is below what WCAG 2.2 asks for (AA: 4.5 to 1). */
export function faint() {
  const colour = text => text.match(/[\d.]+/g).map(Number)
  const linear = part => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  const light = rgb => {
    const [r, g, b] = rgb.map(part => linear(part / 255))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const groundOf = element => {
    for (let at = element; at !== null; at = at.parentElement) {
      const [r, g, b, a = 1] = colour(getComputedStyle(at).backgroundColor)
      if (a === 1) return [r, g, b]
    }
    return [255, 255, 255]
  }
  const found = []
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
    if (!hasText || !element.checkVisibility() || element.closest('.unseen, .skip, .badge') !== null) continue
    const front = light(colour(getComputedStyle(element).color).slice(0, 3))
    const ground = light(groundOf(element))
    const ratio = (Math.max(front, ground) + 0.05) / (Math.min(front, ground) + 0.05)
    if (ratio < 4.5) found.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`)
  }
  return found
}
