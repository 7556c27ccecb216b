/** Bars as an SVG that reads on light and on dark pages. */

export interface Bar {
  label: string
  value: number
  /** Printed behind the bar. */
  text: string
}

export interface BarGroup {
  title: string
  /** Says which direction is good. */
  note: string
  bars: Bar[]
}

const WIDTH = 790
const BAR = 18
const VALUE = 180

/** `labelWidth`: pixels for the names before the bars. */
export function chart(groups: readonly BarGroup[], caption: string, { labelWidth = 150 } = {}): string {
  const parts: string[] = []
  let y = 30
  for (const group of groups) {
    parts.push(
      `<text x="0" y="${y}" class="title">${escapeXml(group.title)}</text><text x="${WIDTH}" y="${y}" class="note" text-anchor="end">${escapeXml(group.note)}</text>`,
    )
    y += 12
    const most = Math.max(...group.bars.map(bar => bar.value))
    for (const bar of group.bars) {
      const width = Math.max(1, (bar.value / most) * (WIDTH - labelWidth - VALUE))
      const ours = bar.label.startsWith('stowage') ? 'ours' : 'other'
      parts.push(
        `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end" class="label">${escapeXml(bar.label)}</text>` +
          `<rect x="${labelWidth}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 4}" rx="2" class="${ours}"/>` +
          `<text x="${labelWidth + width + 6}" y="${y + 12}" class="value">${escapeXml(bar.text)}</text>`,
      )
      y += BAR
    }
    y += 26
  }
  const height = y + 4
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(caption)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #444 }
.title { font-weight: 600; font-size: 13px; fill: #222 }
.note, .value { fill: #666 }
.ours { fill: #0a7d5a } .other { fill: #b6bcc4 }
@media (prefers-color-scheme: dark) { text { fill: #bbb } .title { fill: #eee } .note, .value { fill: #999 } .ours { fill: #34c794 } .other { fill: #555c66 } }
</style>
${parts.join('\n')}
<text x="0" y="${height - 4}" class="note">${escapeXml(caption)}</text>
</svg>
`
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, char => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!)
}
