import type { LifecycleRule } from '../../../core/bucket-lifecycle.ts'
import { humanSize, printable } from '../../human-format.ts'

/** What a rule does, in a sentence. */
export function ruleText(rule: LifecycleRule): string {
  const {
    Status,
    Transitions = [],
    Expiration,
    NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload,
  } = rule
  const actions = [
    ...Transitions.map(
      ({ Days, Date: date, StorageClass }) => `moves ${what(rule)} to ${StorageClass} ${when(Days, date)}`,
    ),
    ...(Expiration?.ExpiredObjectDeleteMarker ? ['removes delete markers without versions'] : []),
    ...(Expiration?.Days !== undefined || Expiration?.Date !== undefined
      ? [`deletes ${what(rule)} ${when(Expiration.Days, Expiration.Date)}`]
      : []),
    ...(NoncurrentVersionExpiration === undefined
      ? []
      : [
          `deletes old versions ${when(NoncurrentVersionExpiration.NoncurrentDays, undefined)}${kept(NoncurrentVersionExpiration.NewerNoncurrentVersions)}`,
        ]),
    ...(AbortIncompleteMultipartUpload === undefined
      ? []
      : [`ends unfinished uploads ${when(AbortIncompleteMultipartUpload.DaysAfterInitiation, undefined)}`]),
  ]
  const text = actions.join(', then ') || 'does what only its owner knows'
  return printable(Status === 'Disabled' ? `switched off: ${text}` : text)
}

function what({ Filter = {}, Prefix }: LifecycleRule): string {
  const { And, ...plain } = Filter
  const filter = { ...plain, ...And }
  const prefix = filter.Prefix ?? Prefix ?? ''
  const { ObjectSizeGreaterThan: above, ObjectSizeLessThan: below } = filter
  const sizes = [
    ...(above === undefined ? [] : [`from ${humanSize(above + 1)}`]),
    ...(below === undefined ? [] : [`below ${humanSize(below)}`]),
  ]
  const tagged = filter.Tag !== undefined || (And?.Tags?.length ?? 0) > 0 ? ' with a tag' : ''
  const objects = prefix === '' ? 'everything' : `'${prefix}…'`
  return `${objects}${tagged}${sizes.length > 0 ? ` ${sizes.join(' and ')}` : ''}`
}

function when(days: number | undefined, date: Date | undefined): string {
  if (date !== undefined) return `on ${new Date(date).toISOString().slice(0, 10)}`
  return `after ${days} day${days === 1 ? '' : 's'}`
}

function kept(versions: number | undefined): string {
  return versions === undefined ? '' : ` but the newest ${versions}`
}
