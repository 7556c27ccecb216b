import { between, type HistoryLog, type LogEntry, name, type Snapshot, sha256 } from './history-log.ts'

/** Codes with which a call may fail here: what they say must be true, too. */
const KNOWN = new Set([
  'pending',
  'unavailable',
  'timeout',
  'conflict',
  'not-found',
  'already-exists',
  'precondition-failed',
  'permission-denied',
])

/** What readers were told, and what refusals say, must have been so at one moment between call and answer. */
export function checkReads(log: HistoryLog): string[] {
  return log.entries.flatMap(entry => {
    const wrong = checkAnswer(entry, between(log, entry.invoked, entry.returned))
    return wrong === undefined ? [] : [`${name(entry)} ${wrong}`]
  })
}

function checkAnswer({ operation, outcome }: LogEntry, moments: readonly Snapshot[]): string | undefined {
  if (outcome.status === 'failed') return checkFailure({ operation, outcome }, moments)
  if (outcome.status === 'running') return undefined
  if (operation.do === 'download' || operation.do === 'info') {
    const { etag, text } = outcome.value as { etag: string; text?: string }
    const isTrue = ({ live }: Snapshot) => {
      const file = live.get(operation.key)
      return file?.generation === etag && (text === undefined || file.checksum === sha256(text))
    }
    return moments.some(isTrue) ? undefined : 'read what was never there'
  }
  if (operation.do === 'list') {
    const seen = JSON.stringify(outcome.value)
    const isTrue = ({ live }: Snapshot) =>
      JSON.stringify([...live].sort().map(([key, { generation }]) => [key, generation])) === seen
    return moments.some(isTrue) ? undefined : `saw ${seen}, which was never there`
  }
  return undefined
}

function checkFailure(
  { operation, outcome }: { operation: LogEntry['operation']; outcome: { code: string; message: string } },
  moments: readonly Snapshot[],
): string | undefined {
  const { code, message } = outcome
  if (!KNOWN.has(code)) return `failed as nothing may: ${message}`
  const someMoment = (test: (snapshot: Snapshot) => boolean) => moments.some(test)
  const key = 'key' in operation ? operation.key : 'from' in operation ? operation.from : ''
  const reads = operation.do === 'download' || operation.do === 'info' || operation.do === 'copy'
  if (code === 'not-found' && (reads || operation.do === 'move'))
    return someMoment(({ live }) => !live.has(key))
      ? undefined
      : 'says not-found of what was there all the time'
  if (code === 'already-exists')
    return someMoment(({ live }) => live.has(key)) ? undefined : 'says already-exists of what never was'
  return undefined
}
