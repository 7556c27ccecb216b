/** The whole database as a SQLite file, out of a cluster and into it. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { StorageError } from '../../core/errors.ts'
import { parseAnswer } from './answer-json.ts'
import { checkResults, failure, NotNow, statusError, Unknown } from './failures.ts'
import type { Settings } from './options.ts'
import { SqliteFileCheck } from './sqlite-file-check.ts'

export interface TransferOptions {
  signal?: AbortSignal
  /** Milliseconds of silence after which it is given up. Default: `deadlineMs` of the engine. */
  timeoutMs?: number
}

/** The file of a node that leads. @throws `checksum-mismatch` at its end for a file that is not whole */
export async function* backupFile(
  leader: string,
  settings: Settings,
  options: TransferOptions,
): AsyncGenerator<Uint8Array> {
  const check = new SqliteFileCheck('backup')
  const answer = await begin(leader, settings, options, 'GET', '/db/backup?redirect').catch(cause => {
    throw broken('backup', 'unavailable', options, cause)
  })
  if (answer.statusCode !== 200) throw await refusal('backup', answer)
  try {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      check.take(chunk)
      yield chunk
    }
  } catch (cause) {
    throw broken('backup', 'unavailable', options, cause)
  } finally {
    answer.destroy()
  }
  check.end()
}

/** Replaces all that a cluster holds. @throws `pending` where it is unknown whether it did */
export async function loadFile(
  leader: string,
  settings: Settings,
  file: AsyncIterable<Uint8Array>,
  options: TransferOptions,
): Promise<void> {
  const answer = await begin(leader, settings, options, 'POST', '/db/load?redirect', checked(file)).catch(
    cause => {
      throw broken('load', 'pending', options, cause)
    },
  )
  if (answer.statusCode !== 200) throw await refusal('load', answer)
  try {
    checkResults('load', parseAnswer(await textOf(answer)), 0)
  } catch (cause) {
    throw broken('load', 'pending', options, cause)
  }
}

/** How far a node is in the log: another text after each write. */
export async function appliedIndex(
  leader: string,
  settings: Settings,
  options: TransferOptions,
): Promise<string> {
  const answer = await begin(leader, settings, options, 'GET', '/status?key=store.raft').catch(cause => {
    throw broken('state', 'unavailable', options, cause)
  })
  if (answer.statusCode !== 200) throw await refusal('status', answer)
  const { applied_index: index } = JSON.parse(await textOf(answer)) as { applied_index?: number }
  if (index === undefined) throw failure('internal', 'state', 'the node does not say how far it is')
  return String(index)
}

/** Ends with an error instead of its end where the file is not whole: then the node has not got it. */
async function* checked(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const check = new SqliteFileCheck('load')
  for await (const chunk of file) {
    check.take(chunk)
    yield chunk
  }
  check.end()
}

async function begin(
  node: string,
  settings: Settings,
  { signal, timeoutMs = settings.deadlineMs }: TransferOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: AsyncIterable<Uint8Array>,
): Promise<IncomingMessage> {
  const secure = node.startsWith('https:')
  const agent = secure ? new HttpsAgent(settings.tls as object) : new HttpAgent()
  const headers = {
    ...(body && { 'content-type': 'application/octet-stream' }),
    ...(settings.authorization !== undefined && { authorization: settings.authorization }),
  }
  const request = (secure ? httpsRequest : httpRequest)(`${node}${path}`, { method, headers, agent, signal })
  request.setTimeout(timeoutMs, () => request.destroy(new Error(`${node} was silent for ${timeoutMs} ms`)))
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
  })
  if (body === undefined) request.end()
  else {
    // An answer that comes before all is sent is one of refusal, which then tells more than the broken pipe.
    await Promise.race([pipeline(body, request), answer])
  }
  return answer
}

async function refusal(operation: string, answer: IncomingMessage): Promise<Error> {
  const status = answer.statusCode!
  const said = await textOf(answer).catch(() => '')
  if (status === 401)
    return failure('permission-denied', operation, `the user lacks rqlite's permission '${operation}'`, {
      status,
    })
  if (status < 400)
    return failure('unavailable', operation, 'another node leads now; nothing happened', { status })
  const error = statusError(operation, status, said)
  if (error instanceof StorageError) return error
  if (error instanceof NotNow)
    return failure('unavailable', operation, `${error.message}; nothing happened`, { status })
  return failure(operation === 'load' ? 'pending' : 'unavailable', operation, error.message, { status })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function broken(
  operation: string,
  code: 'unavailable' | 'pending',
  { signal }: TransferOptions,
  cause: unknown,
): StorageError {
  if (cause instanceof StorageError) return cause
  const { code: reason, message } = cause as NodeJS.ErrnoException
  const never = reason === 'ECONNREFUSED' || reason === 'ENOTFOUND'
  if (signal?.aborted && code === 'unavailable')
    return failure('aborted', operation, 'aborted by the caller', { cause })
  const open = code === 'pending' && !never && !(cause instanceof Unknown && /results to/.test(message))
  return failure(
    open ? 'pending' : 'unavailable',
    operation,
    open ? `it is unknown whether it happened: ${message}` : message,
    { cause },
  )
}
