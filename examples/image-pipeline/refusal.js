/** What a browser is told instead of an answer: a status, a code for programs and words for people. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Codes of `StorageError` as a browser should hear of them. Details are for the log. */
const OF_STORAGE = {
  'not-found': [404, 'This is not there any more, or was never sent.'],
  'too-large': [413, 'This is larger than what was asked for.'],
  'invalid-argument': [400, 'What was sent is not what was asked for.'],
  'checksum-mismatch': [400, 'What was sent is not what was asked for.'],
  conflict: [409, 'Somebody else has changed this meanwhile.'],
  'already-exists': [409, 'This is there already.'],
  'precondition-failed': [409, 'Somebody else has changed this meanwhile.'],
  unavailable: [503, 'The storage is not reachable just now. Nothing was lost; try again in a moment.'],
  'rate-limited': [503, 'The storage is busy. Nothing was lost; try again in a moment.'],
  timeout: [503, 'The storage took too long. Nothing was lost; try again in a moment.'],
}

export function refusalOf(error) {
  if (error instanceof Refusal) return error
  const [status, words] = OF_STORAGE[error?.code] ?? [500, 'Something failed here. It has been written down.']
  return new Refusal(status, status === 500 ? 'internal' : error.code, words)
}
