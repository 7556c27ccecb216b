import type {
  CutOverPhase,
  CutOverStatus,
  CutOverVerification,
  ReadDifference,
} from '../../../migrate/index.ts'
import { humanDate, plural, printable } from '../../human-format.ts'

/** What each phase is, and what comes next, for who stands before it. */
const NEXT: Readonly<Record<CutOverPhase, string>> = {
  'source-only': 'the source alone; next: advance, when all processes of the application are listed',
  'dual-write': 'writes go to both; next: advance',
  backfill: 'next: backfill, then advance',
  verify: 'next: verify, then advance',
  'compare-reads': 'some reads are compared; next: look at the differences after a while, then advance',
  'destination-first': 'the destination is read first; next: verify --level content, then advance',
  retired: 'the destination alone; next: drop-source, when nobody needs the source any more',
}

export function phaseLine(phase: CutOverPhase): string {
  return `${phase}: ${NEXT[phase]}`
}

export function statusText(status: CutOverStatus): string {
  const { objects, processes, verification, backfilledAt, failing, differences } = status
  const sides = (counts: Readonly<Record<'from' | 'to', number>>) =>
    `${counts.from} at the source, ${counts.to} at the destination`
  return [
    `${status.name}  ${phaseLine(status.phase)}`,
    ...processes.map(
      ({ id, phase, beats }) => `process  ${printable(id)}  ${phase}  ${plural(beats, 'beat')}`,
    ),
    ...(processes.length === 0 ? ['process  none'] : []),
    `held  ${sides(objects.held)}`,
    `owed  ${sides(objects.owed)}`,
    `deleted  ${objects.deleted}; not known to be gone: ${sides(objects.undeleted)}`,
    `failing  ${failing}`,
    `differences  ${differences}`,
    `backfill  ${backfilledAt === undefined ? 'has not ended' : `ended at ${humanDate(backfilledAt)} UTC`}`,
    verification === undefined ? 'verification  none' : verificationText(verification),
    ...(status.sourceDropped ? ['the source is dropped'] : []),
  ].join('\n')
}

export function verificationText(found: CutOverVerification): string {
  const { statuses, problems, level, checked, swept, strangers, matched } = found
  const counts = Object.entries(statuses).map(([status, count]) => `${status} ${count}`)
  return [
    `verified by ${level} in ${found.phase}: ${plural(checked, 'object')}, ${counts.join(', ')}`,
    ...(swept > 0 ? [`${plural(swept, 'deleted object')} swept from where they still were`] : []),
    ...(strangers > 0 ? [`${plural(strangers, 'object')} at the destination that are not ours`] : []),
    ...problems.map(({ key, status, detail }) => `${status}  ${printable(key)}  ${printable(detail)}`),
    matched ? 'everything matches' : 'not everything matches',
  ].join('\n')
}

export function differenceLine({ key, kind, detail, at }: ReadDifference): string {
  return `${humanDate(new Date(at))}  ${kind}  ${printable(key)}  ${printable(detail)}`
}
