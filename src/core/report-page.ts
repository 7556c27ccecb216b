/** What the pages of reports have in common, whatever they report. */
import { printable } from './human-format.ts'

/** Keys come from strangers: a browser must see text where they hold markup. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}

/** Light or dark as the reader's system is, as wide as the screen, and fit to print. A page adds what it has alone. */
export const PAGE_STYLE = `
:root{--page:#f6f7f9;--card:#fff;--text:#1c2430;--soft:#5b6675;--line:#dfe3e9;--good:#12714a;--good-back:#e1f5ec;--bad:#9b2c1d;--bad-back:#fdeae6;--key:#f0f2f5}
@media(prefers-color-scheme:dark){:root{--page:#12161c;--card:#1b2129;--text:#e6eaf0;--soft:#9aa6b5;--line:#2e3742;--good:#6fdcaa;--good-back:#14352a;--bad:#ffab9b;--bad-back:#43201a;--key:#252d37}}
*{box-sizing:border-box}
body{margin:0;padding:clamp(1rem,4vw,3rem);background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
header,main{max-width:60rem;margin:0 auto}
h1{margin:0;font-size:1.6rem;line-height:1.25;overflow-wrap:anywhere}
.place{margin:.25rem 0 1rem;color:var(--soft);overflow-wrap:anywhere}
code{padding:.1em .35em;border-radius:.3em;background:var(--key);font:.9em ui-monospace,monospace}
.verdict{display:inline-block;margin:0 0 1.25rem;padding:.35rem .9rem;border-radius:2rem;font-weight:600}
.good{color:var(--good);background:var(--good-back)}
.bad{color:var(--bad);background:var(--bad-back)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.75rem;margin:0 0 1.25rem}
.facts div,section{border:1px solid var(--line);border-radius:.6rem;background:var(--card)}
.facts div{padding:.6rem .9rem}
dt{color:var(--soft);font-size:.85rem}
dd{margin:0;font-size:1.2rem;font-variant-numeric:tabular-nums}
section{margin:0 0 1rem;padding:1rem 1.1rem}
h2{margin:0;font-size:1.1rem}
.count{display:inline-block;min-width:1.8em;padding:0 .5em;border-radius:1em;background:var(--bad-back);color:var(--bad);text-align:center;font-variant-numeric:tabular-nums}
section p{margin:.35rem 0 0;color:var(--soft)}
ul{margin:.75rem 0 0;padding:0;list-style:none}
li{padding:.5rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
li b{display:block;font:600 .9rem/1.45 ui-monospace,monospace}
li span{display:block;color:var(--soft);font-size:.85rem}
@media print{body{background:none}section{break-inside:avoid}}
`
