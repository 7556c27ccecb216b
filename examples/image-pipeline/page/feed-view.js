import { ask } from './api.js'
import { PhotoUpload, preparePhoto } from './photo-upload.js'
import { report, say } from './say.js'
import { keepPlace, tileOf } from './tile.js'

const byId = id => document.getElementById(id)
const [grid, empty, more, problems, preparing] = ['grid', 'empty', 'more', 'problems', 'preparing'].map(byId)
let next
/** Counts how often the feed was begun: pages of an earlier one come too late. */
let feeds = 0
let preparingCount = 0

more.onclick = () => showMore().catch(error => report(problems, error.message))

/** Shows the feed from its beginning; photos on their way stay where they are. */
export async function showFeed() {
  for (const tile of grid.querySelectorAll('.tile:not(.upload)')) tile.remove()
  next = undefined
  const began = ++feeds
  grid.setAttribute('aria-busy', 'true')
  try {
    await showMore()
  } catch (error) {
    report(problems, error.message)
  }
  if (began !== feeds) return
  grid.removeAttribute('aria-busy')
  count()
}

async function showMore() {
  const began = feeds
  const page = await ask('GET', next === undefined ? '/feed' : `/feed?after=${encodeURIComponent(next)}`)
  if (began !== feeds) return
  // A photo of one's own may have been sent while the page was on its way, and stands here already.
  const shown = new Set([...grid.children].map(tile => tile.dataset.id))
  const tiles = page.images.filter(({ id }) => !shown.has(id)).map(tileOf)
  grid.append(...tiles)
  // The keyboard goes on with the first of those that have come.
  if (document.activeElement === more) tiles[0]?.querySelector('a').focus()
  next = page.next
  more.hidden = next === undefined
}

/** @param {{ maxBytes: number, types?: string[] }} limits */
export function takePhotos(files, limits) {
  const photos = files.filter(file => {
    const problem = problemOf(file, limits)
    if (problem !== undefined) report(problems, `${file.name}: ${problem}`)
    return problem === undefined
  })
  if (photos.length > 0)
    say(photos.length === 1 ? `Preparing ${photos[0].name}.` : `Preparing ${photos.length} photos.`)
  for (const file of photos) void take(file)
}

function problemOf(file, { maxBytes, types }) {
  if (file.type !== '' && types?.includes(file.type) === false)
    return 'This is no photo that can be shown here.'
  if (file.size > maxBytes) return `This photo is larger than ${Math.round(maxBytes / 1024 ** 2)} MB.`
  return undefined
}

async function take(file) {
  showPreparing(1)
  let photo
  try {
    photo = await preparePhoto(file)
  } catch (error) {
    return report(problems, `${file.name}: ${wordsOf(error)}`)
  } finally {
    showPreparing(-1)
  }
  const upload = new PhotoUpload(photo, { alt: altOf(file.name) })
  const tile = uploadTile(file, photo)
  grid.prepend(tile)
  count()
  await send(upload, tile, file.name)
}

/** Until it has been sent, given up, or has failed: then it can be tried again. */
async function send(upload, tile, name) {
  const [words, bar, cancel, retry] = ['.words', 'progress', '.cancel', '.retry'].map(part =>
    tile.querySelector(part),
  )
  const stopped = new AbortController()
  tile.dataset.state = 'sending'
  words.textContent = 'Waiting'
  bar.hidden = false
  bar.value = 0
  retry.hidden = true
  cancel.onclick = () => {
    stopped.abort()
    leave(tile)
    say(`${name} is not uploaded.`)
  }
  try {
    const image = await upload.send({
      signal: stopped.signal,
      onProgress(part) {
        bar.value = part
        words.textContent = part < 1 ? `${Math.round(part * 100)} %` : 'Finishing'
      },
      onRetry() {
        words.textContent = 'Once more'
      },
    })
    const hadFocus = tile.contains(document.activeElement)
    const shown = tileOf(image)
    tile.replaceWith(shown)
    if (hadFocus) shown.querySelector('a').focus()
    say(`${name} is uploaded.`)
  } catch (error) {
    if (stopped.signal.aborted) return
    tile.dataset.state = 'failed'
    bar.hidden = true
    words.textContent = wordsOf(error)
    retry.hidden = false
    retry.onclick = () => {
      cancel.focus()
      void send(upload, tile, name)
    }
    say(`${name} was not uploaded: ${wordsOf(error)}`)
  }
}

function uploadTile(file, photo) {
  const tile = byId('upload-tile').content.firstElementChild.cloneNode(true)
  const place = tile.querySelector('.photo')
  keepPlace(tile, place, photo)
  place.setAttribute('aria-label', `Placeholder of ${file.name}`)
  tile.querySelector('progress').setAttribute('aria-label', `Sending ${file.name}`)
  tile.querySelector('.cancel').setAttribute('aria-label', `Cancel ${file.name}`)
  tile.querySelector('.retry').setAttribute('aria-label', `Try ${file.name} again`)
  return tile
}

function leave(tile) {
  const neighbour = tile.nextElementSibling ?? tile.previousElementSibling
  const hadFocus = tile.contains(document.activeElement)
  tile.remove()
  if (hadFocus) (neighbour?.querySelector('a, button') ?? byId('chosen')).focus()
  count()
}

function count() {
  empty.hidden = grid.children.length > 0 || preparingCount > 0
}

function showPreparing(change) {
  preparingCount += change
  preparing.hidden = preparingCount === 0
  preparing.textContent =
    preparingCount === 1 ? 'Preparing a photo …' : `Preparing ${preparingCount} photos …`
  count()
}

/** A first guess, which the user can better. */
function altOf(name) {
  return name
    .replace(/\.\w{2,5}$/, '')
    .replaceAll(/[_-]+/g, ' ')
    .trim()
}

const WORDS = {
  'invalid-argument': 'This is no photo, or it is damaged.',
  unsupported: 'This browser can not show such a photo.',
  'too-large': 'This photo is too large.',
  unavailable: 'The storage was not reached.',
  timeout: 'The connection is too slow.',
  'permission-denied': 'The storage refused it.',
}

function wordsOf(error) {
  return WORDS[error.code] ?? error.message
}
