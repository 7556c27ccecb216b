/** The query string of a request. A flag counts where it is present, whatever its value; durations need a unit. */

export type Level = 'none' | 'weak' | 'linearizable' | 'strong'

/** The answer is 400 with this message. */
export class BadFlag extends Error {}

const DURATIONS = ['timeout', 'freshness', 'db_timeout', 'linearizable_timeout']
const INTEGERS = ['retries', 'trailing_logs']

export class QueryFlags {
  constructor(private readonly all: URLSearchParams) {
    if (this.has('freshness_strict') && !this.has('freshness'))
      throw new BadFlag('freshness_strict requires freshness')
    for (const name of DURATIONS)
      if (this.has(name) && this.milliseconds(name) === undefined)
        throw new BadFlag(`${name} is not a valid duration`)
    for (const name of INTEGERS)
      if (this.has(name) && !/^[+-]?\d+$/.test(this.text(name)))
        throw new BadFlag(`${name} is not a valid integer`)
    if (this.has('q') && this.text('q') === '') throw new BadFlag('query parameter not set')
  }

  has(name: string): boolean {
    return this.all.has(name)
  }

  text(name: string): string {
    return this.all.get(name) ?? ''
  }

  /** Undefined where the flag is absent or no duration. */
  milliseconds(name: string): number | undefined {
    return milliseconds(this.text(name))
  }

  get level(): Level {
    const level = this.text('level').toLowerCase()
    return level === 'none' || level === 'linearizable' || level === 'strong' ? level : 'weak'
  }
}

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 3.6e6,
}

function milliseconds(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0
  const parts = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text)
  if (!parts?.[2]) return undefined
  let total = 0
  for (const [, count, unit] of parts[2].matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(count) * (UNITS[unit ?? ''] ?? 0)
  return parts[1] === '-' ? -total : total
}
