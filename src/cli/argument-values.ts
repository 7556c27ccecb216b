import { InvalidArgumentError } from 'commander'

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const BYTES: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 }

/** `10m`, `1h`, `7d` or seconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? []
  if (amount === undefined || Number(amount) === 0) throw new InvalidArgumentError('Use 90s, 10m, 1h or 7d.')
  return Number(amount) * SECONDS[unit]!
}

/** `500k`, `10MB`, `1GiB` or bytes. */
export function byteCount(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,15})(?:([kmg]i?)?b?)$/i.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('Use bytes, 500k, 10MB or 1GiB.')
  return Number(amount) * BYTES[unit.toLowerCase()]!
}

/** A whole number of at least 0. */
export function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a whole number.')
}

/** `5%`, or a part of one: `0.05`. */
export function share(text: string): number {
  const [, amount, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%)?$/.exec(text) ?? []
  const part = Number(amount) / (percent ? 100 : 1)
  if (amount !== undefined && part <= 1) return part
  throw new InvalidArgumentError('Use 5% or 0.05.')
}

export function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('Use a number from 0 to 65535.')
}

/** `name=value`, once or more often. */
export function metadataPair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Use name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** The beginning of the keys in a folder: `a` and `a/` are `a/`; `.`, which is no key, is the whole store. */
export function folderPrefix(key: string): string {
  if (key === '.' || key === './' || key === '') return ''
  return key.endsWith('/') ? key : `${key}/`
}
