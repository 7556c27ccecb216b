import { ask } from './api.js'
import { showFeed, takePhotos } from './feed-view.js'
import { report, say } from './say.js'
import { ThreadView } from './thread-view.js'

const byId = id => document.getElementById(id)
const [feedView, threadView, drop, chosen] = ['feed-view', 'thread-view', 'drop', 'chosen'].map(byId)
const thread = new ThreadView(() => go('/'))
let limits = { maxBytes: Number.POSITIVE_INFINITY, types: [] }

chosen.addEventListener('change', () => {
  takePhotos([...chosen.files], limits)
  chosen.value = ''
})
for (const name of ['dragenter', 'dragover', 'dragleave', 'drop'])
  document.addEventListener(name, event => {
    event.preventDefault()
    drop.classList.toggle('over', name === 'dragenter' || name === 'dragover')
    if (name === 'drop') takeFiles(event.dataTransfer.files)
  })
document.addEventListener('paste', event => {
  if (event.clipboardData.files.length > 0) takeFiles(event.clipboardData.files)
})
document.addEventListener('click', event => {
  const link = event.target.closest('a[data-view]')
  if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  void go(link.getAttribute('href'))
})
addEventListener('popstate', () => show({ isBack: true }))

await start()

async function start() {
  try {
    const about = await ask('GET', '/about')
    limits = about.limits
    const accepted = limits.types.join()
    chosen.accept = accepted
    byId('version-file').accept = accepted
    byId('limit').textContent =
      `JPEG, PNG, WebP, GIF, AVIF, up to ${Math.round(limits.maxBytes / 1024 ** 2)}\u00a0MB`
    byId('about').textContent = about.parts
  } catch (error) {
    report(byId('problems'), error.message)
  }
  await show({ isBack: true })
}

function takeFiles(list) {
  if (!feedView.hidden) takePhotos([...list], limits)
}

async function go(path) {
  history.pushState(null, '', path)
  await show({ isBack: false })
}

async function show({ isBack }) {
  const [, threadId] = /^\/threads\/([\w-]+)$/.exec(location.pathname) ?? []
  const isThread = threadId !== undefined
  feedView.hidden = isThread
  threadView.hidden = !isThread
  if (!isThread) {
    document.title = 'Image pipeline'
    await thread.leave()
    await showFeed()
  } else {
    try {
      await thread.show(threadId, new URLSearchParams(location.search).get('image'))
    } catch (error) {
      history.replaceState(null, '', '/')
      report(byId('problems'), error.message)
      return show({ isBack })
    }
  }
  if (isBack) return
  // As after a new page: at its beginning, for the eyes and for the keyboard.
  scrollTo(0, 0)
  ;(isThread ? byId('thread-title') : byId('main')).focus({ preventScroll: true })
  if (!isThread && byId('said').textContent === '') say('All photos')
}
