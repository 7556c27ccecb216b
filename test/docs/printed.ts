/** Whether a program has printed what its guide shows. `…` is anything in a line, or any lines where it stands alone. */
export function isPrinted(expected: string, printed: string): boolean {
  const lines = trimmed(expected).split('\n')
  const pattern = lines.map(line =>
    line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(literal).join('.*')}\\n`,
  )
  return new RegExp(`^${pattern.join('')}$`).test(`${trimmed(printed)}\n`)
}

function trimmed(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '').replace(/\n+$/, '')
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
