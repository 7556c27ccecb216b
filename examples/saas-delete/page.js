const byId = id => document.getElementById(id)
const [files, problems, drop, chosen] = ['files', 'problems', 'drop', 'chosen'].map(byId)
const UNITS = ['B', 'kB', 'MB', 'GB']
const NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL', local: 'a folder', s3: 'S3', supabase: 'Supabase' }
const NETWORK = 'The server was not reached. Check the connection and try again.'
let maxBytes = Number.POSITIVE_INFINITY

chosen.addEventListener('change', () => {
  uploadAll([...chosen.files])
  chosen.value = ''
})
for (const name of ['dragenter', 'dragover', 'dragleave', 'drop'])
  drop.addEventListener(name, event => {
    event.preventDefault()
    drop.classList.toggle('over', name === 'dragenter' || name === 'dragover')
    if (name === 'drop') uploadAll([...event.dataTransfer.files])
  })

if (location.search === '?gone') {
  history.replaceState(null, '', '/')
  report('That file is not there any more.')
}
await load()

async function load() {
  try {
    const answer = await ask('GET', 'attachments')
    maxBytes = answer.maxBytes
    byId('limit').textContent = `Any kind of file, up to ${sizeOf(maxBytes)}`
    byId('about').textContent = `Rows in ${nameOf(answer.database)}, files in ${nameOf(answer.store)}`
    for (const file of answer.attachments) files.append(showFile(newRow(), file))
  } catch (error) {
    report(error.message)
  }
  files.removeAttribute('aria-busy')
  count()
}

/** One after the other, so that each has the whole line. */
async function uploadAll(list) {
  const waiting = list.map(file => ({ file, row: showUpload(newRow(), file) }))
  // The newest is on top, and the last of them will be.
  files.prepend(...waiting.map(({ row }) => row).reverse())
  count()
  for (const { file, row } of waiting) {
    try {
      if (file.size > maxBytes) throw new Error(`This file is larger than ${sizeOf(maxBytes)}.`)
      const bar = row.querySelector('progress')
      const stored = await send(file, part => {
        bar.value = part
      })
      showFile(row, stored)
      say(`${stored.name} is attached.`)
    } catch (error) {
      row.remove()
      report(`${file.name}: ${error.message}`)
    }
    count()
  }
}

/** By XMLHttpRequest, because fetch can't tell how much has been sent. */
function send(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `attachments?name=${encodeURIComponent(file.name)}`)
    request.responseType = 'json'
    request.upload.onprogress = event => onProgress(event.loaded / (event.total || 1))
    request.onerror = () => reject(new Error(NETWORK))
    request.onload = () => {
      if (request.status === 201) resolve(request.response)
      else reject(new Error(request.response?.error ?? `The server answered ${request.status}.`))
    }
    request.send(file)
  })
}

async function remove(row, { id, name }) {
  byId('ask-name').textContent = name
  const dialog = byId('ask')
  dialog.returnValue = 'no'
  dialog.showModal()
  await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }))
  if (dialog.returnValue !== 'yes') return
  const button = row.querySelector('.remove')
  button.disabled = true
  try {
    await ask('DELETE', `attachments/${id}`)
    const next = (row.nextElementSibling ?? row.previousElementSibling)?.querySelector('.remove')
    row.remove()
    // The keyboard goes on where it was.
    ;(next ?? chosen).focus()
    say(`${name} is deleted.`)
  } catch (error) {
    button.disabled = false
    report(`${name}: ${error.message}`)
  }
  count()
}

async function ask(method, path) {
  const response = await fetch(path, { method }).catch(() => {
    throw new Error(NETWORK)
  })
  const answer = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined
  if (!response.ok) throw new Error(answer?.error ?? `The server answered ${response.status}.`)
  return answer
}

function newRow() {
  return byId('row').content.firstElementChild.cloneNode(true)
}

function showUpload(row, file) {
  describe(row, file.name, `${sizeOf(file.size)} · being sent`)
  // Nothing to follow yet.
  row.querySelector('.name').removeAttribute('href')
  const bar = row.querySelector('progress')
  bar.hidden = false
  bar.setAttribute('aria-label', `Sending ${file.name}`)
  return row
}

function showFile(row, file) {
  describe(row, file.name, `${sizeOf(file.size)} · ${timeOf(new Date(file.uploadedAt))}`)
  row.querySelector('.name').href = `attachments/${file.id}`
  row.querySelector('progress').hidden = true
  const button = row.querySelector('.remove')
  button.hidden = false
  button.setAttribute('aria-label', `Delete ${file.name}`)
  button.onclick = () => remove(row, file)
  return row
}

function describe(row, name, facts) {
  const extension = /\.([a-z0-9]{1,4})$/i.exec(name)?.[1] ?? 'file'
  row.querySelector('.kind').textContent = extension.toUpperCase()
  row.querySelector('.name').textContent = name
  row.querySelector('.name').title = name
  row.querySelector('.facts').textContent = facts
}

function report(message) {
  const item = document.createElement('li')
  const text = document.createElement('span')
  const close = document.createElement('button')
  text.textContent = message
  close.type = 'button'
  close.textContent = 'Dismiss'
  close.onclick = () => item.remove()
  item.append(text, close)
  problems.append(item)
}

function say(message) {
  byId('said').textContent = message
}

function count() {
  const { length } = files.children
  byId('count').textContent = length === 0 ? '' : `(${length})`
  byId('empty').hidden = length > 0
}

function sizeOf(bytes) {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(1024)))
  const value = bytes / 1024 ** step
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[step]}`
}

function timeOf(date) {
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric'
  return date.toLocaleString(undefined, {
    year,
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
  })
}

function nameOf(part) {
  return NAMES[part] ?? part
}
