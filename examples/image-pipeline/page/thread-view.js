import { ask } from './api.js'
import { PhotoUpload, preparePhoto } from './photo-upload.js'
import { report, say } from './say.js'
import { keepPlace, showThumb } from './tile.js'

const byId = id => document.getElementById(id)
const LOOKS = { none: 'Original', warm: 'Warm', mono: 'Mono', fade: 'Fade' }
const KINDS = {
  insert: 'Original',
  gen: 'Generated',
  mask: 'Mask',
  expand: 'Expanded',
  watermark: 'Watermarked',
}
const MOVES = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }
const ZOOMS = { '+': 1.4, '=': 1.4, '-': 1 / 1.4 }

/** A thread: all versions of a photo, one of them on the stage. */
export class ThreadView {
  #stage
  #images = []
  #shown
  #look = 'none'
  /** Which thread is asked for: answers for another one come too late. */
  #visit = 0
  #onGone

  /** @param {() => void} onGone called when nothing is left to show */
  constructor(onGone) {
    this.#onGone = onGone
    this.#listen()
  }

  /** @param {() => void} onReady called when the thread's words stand; its picture may come much later */
  async show(threadId, imageId, onReady) {
    const visit = ++this.#visit
    byId('thread-problems').replaceChildren()
    try {
      // PixiJS is large: it is loaded when the first photo is looked at, and again where it did not come.
      this.#stage ??= loadStage().catch(error => {
        this.#stage = undefined
        throw error
      })
      const [{ images }] = await Promise.all([ask('GET', `/versions/${threadId}`), this.#stage])
      if (visit !== this.#visit) return
      this.#images = images
      const chosen = this.#choose(images.find(({ id }) => id === imageId) ?? images.at(-1))
      onReady()
      await chosen
    } catch (error) {
      if (visit === this.#visit) throw error
    }
  }

  leave() {
    this.#visit++
    this.#shown = undefined
    // It may still be loading, or not come at all: nobody waits for it to leave.
    const left = this.#visit
    const leaveStage = stage => left === this.#visit && stage.leave()
    this.#stage?.then(leaveStage, () => {})
  }

  async #choose(image) {
    this.#shown = image
    history.replaceState(null, '', `/threads/${image.threadId}?image=${image.id}`)
    const number = this.#images.indexOf(image) + 1
    byId('thread-title').textContent = image.alt || 'Photo'
    document.title = `${image.alt || 'Photo'} · Image pipeline`
    byId('facts').textContent = factsOf(image, number, this.#images.length)
    byId('alt').value = image.alt
    byId('alt-shown').textContent = image.alt
    byId('alt-shown').hidden = image.isMine || image.alt === ''
    for (const id of ['describe', 'delete']) byId(id).hidden = !image.isMine
    byId('add-version').hidden = !image.isMine || image.place !== 'thread'
    byId('share').hidden = !image.isMine || image.isShared
    byId('download').href = image.url
    this.#showVersions()
    const stage = await this.#stage
    this.#chooseLook('none', stage)
    byId('looks').hidden = !stage.canEdit || !image.isMine || image.place !== 'thread'
    await stage.show(image).catch(error => this.#report(error))
  }

  #showVersions() {
    const items = this.#images.map((image, index) => {
      const item = document.createElement('li')
      const button = document.createElement('button')
      const picture = document.createElement('img')
      const words = document.createElement('span')
      button.type = 'button'
      button.className = 'photo'
      keepPlace(item, button, image)
      showThumb(picture, image)
      picture.alt = ''
      words.textContent = KINDS[image.kind]
      button.setAttribute(
        'aria-label',
        `Version ${index + 1}, ${KINDS[image.kind]}: ${image.alt || 'no description'}`,
      )
      if (image === this.#shown) button.setAttribute('aria-current', 'true')
      button.onclick = async () => {
        await this.#choose(image)
      }
      button.append(picture)
      item.append(button, words)
      return item
    })
    const hadFocus = byId('versions').contains(document.activeElement)
    byId('versions').replaceChildren(...items)
    if (hadFocus) byId('versions').querySelector('[aria-current]').focus()
  }

  #listen() {
    const withStage = act => async () => act(await this.#stage)
    byId('zoom-in').onclick = withStage(stage => stage.zoomBy(1.4))
    byId('zoom-out').onclick = withStage(stage => stage.zoomBy(1 / 1.4))
    byId('zoom-fit').onclick = withStage(stage => stage.fit())
    const stage = byId('stage')
    stage.tabIndex = 0
    stage.role = 'group'
    stage.ariaLabel = 'Photo: plus and minus zoom, arrow keys move, 0 fits'
    stage.onkeydown = event => {
      const { key } = event
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (!(key in MOVES) && !(key in ZOOMS) && key !== '0') return
      event.preventDefault()
      void withStage(stage => {
        if (key in MOVES) stage.moveBy(...MOVES[key])
        else if (key in ZOOMS) stage.zoomBy(ZOOMS[key])
        else stage.fit()
      })()
    }
    byId('looks').append(
      ...Object.entries(LOOKS).map(([name, words]) => {
        const button = document.createElement('button')
        button.type = 'button'
        button.dataset.look = name
        button.textContent = words
        button.onclick = withStage(stage => this.#chooseLook(name, stage))
        return button
      }),
    )
    byId('save-look').onclick = () => this.#saveLook()
    byId('share').onclick = () =>
      this.#change('POST', '/feed', { imageId: this.#shown.id }, 'It is in the feed now.')
    byId('describe').onsubmit = event => {
      event.preventDefault()
      const alt = byId('alt').value
      void this.#change('PATCH', `/images/${this.#shown.id}`, { alt }, 'The description is saved.')
    }
    byId('delete').onclick = () => this.#remove()
    byId('version-file').onchange = async ({ target }) => {
      const [file] = target.files
      target.value = ''
      if (file !== undefined) await this.#addVersion(() => preparePhoto(file), byId('kind').value, file.name)
    }
  }

  #chooseLook(name, stage) {
    this.#look = name
    stage.look(name)
    for (const button of byId('looks').querySelectorAll('button'))
      button.setAttribute('aria-pressed', `${button.dataset.look === name}`)
    byId('save-look').hidden = name === 'none'
  }

  async #saveLook() {
    const name = LOOKS[this.#look]
    const stage = await this.#stage
    await this.#addVersion(async () => preparePhoto(await stage.toBlob()), 'gen', `“${name}”`)
  }

  async #addVersion(prepare, kind, name) {
    const { threadId, alt } = this.#shown
    const stopped = new AbortController()
    const [part, words, bar, cancel] = ['upload', 'words', 'bar', 'cancel'].map(id => byId(`version-${id}`))
    words.textContent = `Sending ${name}`
    bar.value = 0
    part.hidden = false
    cancel.onclick = () => stopped.abort()
    try {
      const upload = new PhotoUpload(await prepare(), { alt, threadId, kind })
      const image = await upload.send({
        signal: stopped.signal,
        onProgress: value => {
          bar.value = value
        },
      })
      this.#images.push(image)
      // Somebody may have gone on to another thread meanwhile.
      if (this.#shown?.threadId === threadId) await this.#choose(image)
      say(`${name} is a version now.`)
    } catch (error) {
      if (!stopped.signal.aborted) this.#report(error)
    }
    part.hidden = true
  }

  async #change(method, path, body, words) {
    try {
      const changed = await ask(method, path, body)
      say(words)
      const index = this.#images.findIndex(({ id }) => id === changed.id)
      if (index >= 0) this.#images[index] = changed
      // Somebody may have gone on meanwhile.
      if (this.#shown?.id !== changed.id) return
      this.#shown = changed
      byId('thread-title').textContent = changed.alt || 'Photo'
      byId('share').hidden = changed.isShared
      byId('facts').textContent = factsOf(changed, index + 1, this.#images.length)
      ;(await this.#stage).describe(changed.alt)
      this.#showVersions()
    } catch (error) {
      this.#report(error)
    }
  }

  async #remove() {
    const image = this.#shown
    const visit = this.#visit
    if (!(await isSure())) return
    try {
      await ask('DELETE', `/images/${image.id}`)
    } catch (error) {
      if (error.status !== 404) return this.#report(error)
    }
    say('The photo is deleted.')
    if (visit !== this.#visit) return
    this.#images = this.#images.filter(({ id }) => id !== image.id)
    const left = this.#images.at(-1)
    if (left === undefined) return this.#onGone()
    const chosen = this.#choose(left)
    byId('thread-title').focus()
    await chosen
  }

  #report(error) {
    report(byId('thread-problems'), error.message)
  }
}

async function loadStage() {
  const { Stage } = await import('/assets/stage.js')
  return Stage.in(byId('stage'))
}

function factsOf({ width, height, kind, isShared }, number, count) {
  const facts = [KINDS[kind]]
  if (width !== null) facts.push(`${width} × ${height}`)
  if (count > 1) facts.push(`version ${number} of ${count}`)
  if (isShared) facts.push('in the feed')
  return facts.join(' · ')
}

async function isSure() {
  const dialog = byId('ask')
  dialog.returnValue = 'no'
  dialog.showModal()
  await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }))
  return dialog.returnValue === 'yes'
}
