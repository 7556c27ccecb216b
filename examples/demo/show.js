const MOST_ROWS = 20

export function heading(text) {
  console.log(`\n${text}\n`)
}

export function line(text) {
  console.log(`  ${text}`)
}

export function table(head, rows) {
  const shown = [head, ...rows.slice(0, MOST_ROWS)]
  const widths = head.map((_, column) => Math.max(...shown.map(row => columns(row[column]))))
  for (const row of shown)
    line(
      row
        .map((cell, column) => cell + ' '.repeat(widths[column] - columns(cell)))
        .join('  ')
        .trimEnd(),
    )
  if (rows.length > MOST_ROWS) line(`… and ${rows.length - MOST_ROWS} more`)
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** Columns a text takes on a terminal: East Asian letters and emoji take two. */
function columns(text) {
  let count = 0
  for (const char of text)
    count +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]|\p{Emoji_Presentation}/u.test(char)
        ? 2
        : 1
  return count
}
