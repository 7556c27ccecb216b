import { blurhashToDataURL } from 'stowage/browser'

/** Pauses before a thumbnail that failed is asked for again: an image server that is busy says so, and means it. */
const AGAIN_MS = [1_000, 4_000]

/**
 * A photo in the grid. Its place is kept by its ratio, its blurhash stands there until the thumbnail does: the image lies
 * over it, so nothing that comes late can cover it.
 */
export function tileOf(image) {
  const tile = document.getElementById('tile').content.firstElementChild.cloneNode(true)
  const link = tile.querySelector('a')
  keepPlace(tile, link, image)
  link.href = `/threads/${image.threadId}?image=${image.id}`
  showThumb(link.querySelector('img'), image)
  tile.querySelector('.badge').hidden = !image.isShared
  tile.dataset.id = image.id
  return tile
}

/** Width, height and placeholder of a photo, before any of its bytes are here. */
export function keepPlace(tile, photo, { width, height, blurhash }) {
  tile.style.setProperty('--ratio', ratioOf({ width, height }))
  if (blurhash !== '') photo.style.backgroundImage = `url(${blurhashToDataURL(blurhash)})`
}

export function showThumb(img, { thumbUrl, alt, width, height }) {
  if (width !== null) {
    img.width = width
    img.height = height
  }
  img.alt = alt || 'Not described yet'
  img.addEventListener('load', () => img.classList.add('loaded'), { once: true })
  let failures = 0
  img.addEventListener('error', () => {
    const pause = AGAIN_MS[failures++]
    if (pause === undefined) img.classList.add('failed')
    else setTimeout(() => (img.src = thumbUrl), pause)
  })
  img.src = thumbUrl
}

/** Very long ones are cut in the grid; how narrow they may be is up to the screen (colours.css). */
function ratioOf({ width, height }) {
  if (width === null || height === null) return '1'
  return Math.min(3, width / height).toFixed(4)
}
