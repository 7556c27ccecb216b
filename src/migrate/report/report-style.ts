import { PAGE_STYLE } from '../../core/report-page.ts'

/** The style of the page of `reportHtml`: that of all reports, and its charts. */
export const REPORT_STYLE = `${PAGE_STYLE}:root{--match:#2f9e6e;--differ:#c9402a;--missing-d:#e07b1f;--missing-s:#8257c2;--error:#6b1d12;--unverified:#9aa3af}
@media(prefers-color-scheme:dark){:root{--match:#3fb883;--differ:#e8614b;--missing-d:#f0994a;--missing-s:#a583e0;--error:#ff9d8f;--unverified:#75808e}}
h2 code{font-size:.75em;font-weight:400;color:var(--soft)}
figure{margin:0 0 .9rem}
figcaption{margin:0 0 .3rem;color:var(--soft);font-size:.85rem}
figure:last-child{margin:1.2rem 0 0}
svg{display:block;overflow:visible}
.share{border-radius:.4rem;overflow:hidden}
.match{fill:var(--match)}.differ{fill:var(--differ)}.missing-destination{fill:var(--missing-d)}.missing-source{fill:var(--missing-s)}.error{fill:var(--error)}.unverified{fill:var(--unverified)}.none,.line{fill:var(--line)}
text{fill:var(--text);font-size:11px;text-anchor:middle;font-variant-numeric:tabular-nums}
.axis{fill:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:0;padding:0;list-style:none;font-size:.9rem}
.legend li{padding:0;border:0;color:var(--soft)}
.legend li b{display:inline;color:var(--text);font:inherit;font-weight:600}
.legend svg{display:inline-block;vertical-align:-1px}
`
