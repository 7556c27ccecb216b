import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { one } from './object-headers.ts'
import { notS3 } from './read.ts'

/** The time on the answer to a HEAD of the bucket. One that is refused carries it, too: nothing else is asked for. */
export async function serverTime(connection: S3Connection, signal: AbortSignal | undefined): Promise<Date> {
  const time = Date.parse((await dateHeader(connection, signal)) ?? '')
  if (Number.isNaN(time)) throw notS3('the answer carries no date; is the endpoint right?')
  return new Date(time)
}

async function dateHeader(
  connection: S3Connection,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const { headers, body } = await connection.send({ method: 'HEAD', signal })
    await body.bytes()
    return one(headers, 'date')
  } catch (error) {
    if (error instanceof S3Failure && error.status === 403 && error.date !== undefined) return error.date
    throw error
  }
}
