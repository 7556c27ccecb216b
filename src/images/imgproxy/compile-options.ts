import { formatName, oneOf, whole, word } from './argument-writers.ts'
import { expirySeconds } from './expiry.ts'
import type { ImageOptions } from './image-options.ts'
import { refusal } from './refusal.ts'
import { FIRST_OF_TAIL, type Segment, segmentTable } from './segments.ts'
import type { Settings } from './settings.ts'

/** Options as they stand in a path, but for the source. Segments begin with their slash. */
export interface CompiledOptions {
  /** What is before `cb`. */
  readonly head: string
  /** What is behind `exp`. */
  readonly tail: string
  /** `/cb:v1`, or empty. */
  readonly cacheBuster: string
  /** Seconds since 1970; undefined where nothing was said, 0 for never. */
  readonly expires: number | undefined
  /** What the URL ends in; empty where the server decides. */
  readonly extension: string
}

const SEGMENTS = segmentTable()
const APART = ['preset', 'resize', 'width', 'height', 'format', 'cacheBuster', 'expires']
const resizingType = oneOf({
  fit: 'fit',
  fill: 'fill',
  'fill-down': 'fill-down',
  force: 'force',
  auto: 'auto',
})

/** @throws `invalid-argument` for an option that is unknown, not allowed here, or not what the server reads */
export function compileOptions(options: ImageOptions, settings: Settings): CompiledOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw refusal('options must be an object such as { width: 400 }')
  if (settings.onlyPresets) return presetsOnly(options, settings)
  const named = options.preset === undefined ? '' : presetNames(options.preset, settings)
  let head = named === '' ? '' : `/pr:${named}`
  head += size(options, named !== '')
  let tail = ''
  const written: [rank: number, text: string][] = []
  for (const option in options) {
    const value = (options as Record<string, unknown>)[option]
    if (value === undefined) continue
    const segment = SEGMENTS.get(option)
    if (segment === undefined) {
      if (APART.includes(option)) continue
      throw refusal(`there is no option '${option}'`)
    }
    if (segment.needs !== undefined) assertAllowed(option, segment.needs, settings)
    const args = segment.write(value, option, settings.pro)
    if (args === '' || (args === segment.neutral && named === '')) continue
    insert(written, segment, args)
  }
  for (const [rank, text] of written) {
    if (rank < FIRST_OF_TAIL) head += text
    else tail += text
  }
  return {
    head,
    tail,
    cacheBuster: cacheBusterSegment(options.cacheBuster),
    expires: options.expires === undefined ? undefined : expirySeconds(options.expires, settings),
    extension: extensionOf(options, settings),
  }
}

/** Keeps the canonical order. There are few at a time: a step back is cheaper than a sort. */
function insert(written: [number, string][], { rank, name }: Segment, args: string): void {
  let at = written.length
  while (at > 0 && written[at - 1]![0] > rank) at--
  written.splice(at, 0, [rank, `/${name}:${args}`])
}

function assertAllowed(option: string, needs: 'pro' | 'security', settings: Settings): void {
  if (needs === 'pro' && !settings.pro)
    throw refusal(`${option} is an option of imgproxy Pro: build with edition: 'pro'`)
  if (needs === 'security' && !settings.allowSecurityOptions)
    throw refusal(
      `${option} is answered with 403 unless the server has IMGPROXY_ALLOW_SECURITY_OPTIONS: ` +
        'say allowSecurityOptions: true where it has',
    )
}

/**
 * One segment, so that `{ width: 400 }` and `{ resize: 'fit', width: 400, height: 0 }` are one URL. Beside a preset
 * each is written for itself: what is absent is the preset's.
 */
function size({ resize, width, height }: ImageOptions, besidePreset: boolean): string {
  const type = resize === undefined ? undefined : resizingType(resize, 'resize', false)
  const across = width === undefined ? undefined : whole(width, 'width', false)
  const down = height === undefined ? undefined : whole(height, 'height', false)
  if (besidePreset && (type === undefined || across === undefined || down === undefined))
    return `${type === undefined ? '' : `/rt:${type}`}${across === undefined ? '' : `/w:${across}`}${down === undefined ? '' : `/h:${down}`}`
  const text = `/rs:${type ?? 'fit'}:${across ?? '0'}:${down ?? '0'}`
  return text === '/rs:fit:0:0' && !besidePreset ? '' : text
}

function presetNames(preset: unknown, settings: Settings): string {
  const names: readonly unknown[] = Array.isArray(preset) ? preset : [preset]
  for (const name of names) {
    word(name, 'preset', false)
    if (settings.presets !== undefined && !settings.presets.has(name as string))
      throw refusal(`there is no preset '${name}'; known are ${[...settings.presets].join(', ')}`)
  }
  return names.join(':')
}

function presetsOnly(options: ImageOptions, settings: Settings): CompiledOptions {
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && option !== 'preset' && option !== 'format')
      throw refusal(`${option} cannot be told a server that takes only presets: put it into a preset`)
  const named = options.preset === undefined ? '' : presetNames(options.preset, settings)
  if (named === '') throw refusal('a server that takes only presets needs at least one preset')
  const extension = extensionOf(options, settings)
  return { head: `/${named}`, tail: '', cacheBuster: '', expires: undefined, extension }
}

function extensionOf({ format }: ImageOptions, settings: Settings): string {
  if (format === undefined) return settings.extension
  return format === 'source' ? '' : formatName(format, 'format')
}

export function cacheBusterSegment(value: unknown): string {
  if (value === undefined || value === '') return ''
  if (typeof value !== 'string' || !value.isWellFormed()) throw refusal('cacheBuster must be text')
  if (/[:/]/.test(value)) throw refusal("cacheBuster cannot hold ':' or '/', which end it in a URL")
  return `/cb:${encodeURIComponent(value)}`
}
