/** Plays an `s3:` recording through the AWS client. */
import * as aws from '@aws-sdk/client-s3'
import type { Recording } from './recordings.ts'
import type { Stage } from './stage.ts'

type Fields = Record<string, unknown>

export function s3Client(stage: Stage, secretAccessKey = stage.server.s3.secretAccessKey): aws.S3Client {
  const { endpoint, region, accessKeyId } = stage.server.s3
  const credentials = { accessKeyId, secretAccessKey }
  return new aws.S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })
}

export async function playS3(stage: Stage, { name, request }: Recording): Promise<Fields> {
  if (name === 's3:bad-secret') {
    const {
      message,
      code: _,
      ...rest
    } = await failure(s3Client(stage, 'not-the-secret').send(new aws.ListBucketsCommand({})))
    return { ...rest, message }
  }
  const { command, input } = stage.volatile.fillAll(request) as { command: string; input: Fields }
  const { Body } = input as { Body?: unknown }
  const filled = typeof Body === 'object' && Body !== null ? { ...input, Body: 'part1' } : input
  const Command = (aws as unknown as Record<string, new (input: Fields) => aws.ListBucketsCommand>)[command]
  if (!Command) throw new Error(`there is no ${command}`)
  const sent = s3Client(stage).send(new Command(filled))
  return sent.then(result => told(result as unknown as Fields), refusal)
}

async function failure(sent: Promise<unknown>): Promise<Fields> {
  return sent.then(() => ({ status: 200 }), refusal)
}

async function told(result: Fields): Promise<Fields> {
  const { $metadata, Body, ...rest } = result
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined)
  const body = Body as { transformToString(): Promise<string> } | undefined
  return {
    status: ($metadata as { httpStatusCode: number }).httpStatusCode,
    ...JSON.parse(JSON.stringify(Object.fromEntries(fields))),
    ...(body ? { body: await body.transformToString() } : {}),
  }
}

function refusal(error: Error & { Code?: string; $metadata?: { httpStatusCode?: number } }): Fields {
  return {
    status: error.$metadata?.httpStatusCode,
    name: error.name,
    ...(error.Code === undefined ? {} : { code: error.Code }),
    message: error.message,
  }
}
