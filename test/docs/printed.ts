/**
 * The first line of `expected` that is not printed, or what is printed beyond the last one; undefined where all is as
 * expected. `…` is anything in a line, or any lines where it stands alone.
 */
export function notPrinted(expected: string, printed: string): string | undefined {
  const lines = trimmed(expected).split('\n')
  const output = `${trimmed(printed)}\n`
  const patterns = lines.map(line =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(literal).join('.*')}\\n`,
  )
  const agrees = (count: number, end: string) =>
    new RegExp(`^${patterns.slice(0, count).join('')}${end}`).test(output)
  if (agrees(lines.length, '$')) return undefined
  const wrong = lines.findIndex((_, at) => !agrees(at + 1, ''))
  return wrong < 0 ? 'nothing more' : lines[wrong]
}

export function isPrinted(expected: string, printed: string): boolean {
  return notPrinted(expected, printed) === undefined
}

function trimmed(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '').replace(/\n+$/, '')
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
