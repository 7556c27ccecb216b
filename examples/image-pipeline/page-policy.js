/**
 * What the page may load and talk to: itself, the store that it uploads to, and whoever serves the images. `data:` are
 * placeholders, `blob:` are photos that are being made ready.
 *
 * @param {readonly string[]} stores origins of the store
 * @param {readonly string[]} images origins of images
 */
export function pagePolicy(stores, images) {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "worker-src 'self'",
    `connect-src ${["'self'", ...stores].join(' ')}`,
    `img-src ${["'self'", 'data:', 'blob:', ...stores, ...images].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
