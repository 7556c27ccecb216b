/**
 * Loads and decodes an image, so that it can be put on the page without flickering, and its pixels into WebGL: an image of
 * another origin must allow that by CORS.
 *
 * @param {AbortSignal} signal ends the loading
 * @throws where it can't be loaded or decoded, or `signal` ends it first
 */
export async function loadImage(url, signal) {
  signal.throwIfAborted()
  const image = new Image()
  const stop = () => image.removeAttribute('src')
  signal.addEventListener('abort', stop)
  image.crossOrigin = 'anonymous'
  image.src = url
  try {
    await image.decode()
    return image
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
