import { ask } from './api.js'
import { showFeed, takePhotos } from './feed-view.js'
import { report, say } from './say.js'
import { ThreadView } from './thread-view.js'

const byId = id => document.getElementById(id)
const [feedView, threadView, drop, chosen] = ['feed-view', 'thread-view', 'drop', 'chosen'].map(byId)
const thread = new ThreadView(() => go('/'))
/** What the server takes. Where it doesn't say, it looks at each photo itself. */
const about = ask('GET', '/about').catch(error => {
  report(byId('problems'), error.message)
  return { parts: '', limits: { maxBytes: Number.POSITIVE_INFINITY, types: undefined } }
})

chosen.addEventListener('change', () => {
  const files = [...chosen.files]
  chosen.value = ''
  void takeFiles(files)
})
for (const name of ['dragenter', 'dragover', 'dragleave', 'drop'])
  document.addEventListener(name, event => {
    event.preventDefault()
    drop.classList.toggle('over', name === 'dragenter' || name === 'dragover')
    if (name === 'drop') void takeFiles([...event.dataTransfer.files])
  })
document.addEventListener('paste', event => {
  if (event.clipboardData.files.length > 0) void takeFiles([...event.clipboardData.files])
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
  await Promise.all([show({ isBack: true }), sayLimits()])
}

async function sayLimits() {
  const { limits, parts } = await about
  byId('about').textContent = parts
  if (limits.types === undefined) return
  chosen.accept = limits.types.join()
  byId('version-file').accept = chosen.accept
  byId('limit').textContent =
    `JPEG, PNG, WebP, GIF, AVIF, up to ${Math.round(limits.maxBytes / 1024 ** 2)}\u00a0MB`
}

/** A photo that is chosen before the server has said what it takes waits for that. */
async function takeFiles(files) {
  if (feedView.hidden) return
  const { limits } = await about
  takePhotos(files, limits)
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
  // As after a new page: at its beginning, for the eyes and for the keyboard.
  const begin = element => {
    if (isBack) return
    scrollTo(0, 0)
    element.focus({ preventScroll: true })
  }
  if (!isThread) {
    document.title = 'Image pipeline'
    thread.leave()
    begin(byId('main'))
    await showFeed()
    if (!isBack && byId('said').textContent === '') say('All photos')
    return
  }
  try {
    const imageId = new URLSearchParams(location.search).get('image')
    await thread.show(threadId, imageId, () => begin(byId('thread-title')))
  } catch (error) {
    history.replaceState(null, '', '/')
    report(byId('problems'), error.message)
    await show({ isBack })
  }
}
