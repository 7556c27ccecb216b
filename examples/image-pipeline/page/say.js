/** What is said aloud, and what stays on the page until it has been read. */
const said = document.getElementById('said')

export function say(message) {
  said.textContent = message
}

export function report(list, message) {
  const item = document.createElement('li')
  const text = document.createElement('span')
  const close = document.createElement('button')
  text.textContent = message
  close.type = 'button'
  close.textContent = 'Dismiss'
  close.onclick = () => item.remove()
  item.append(text, close)
  list.append(item)
}
