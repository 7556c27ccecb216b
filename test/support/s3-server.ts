import type { ServerProcess } from './server-process.ts'

/** What a test needs to talk to an S3 server that the test run has started. */
export interface S3Server {
  name: 'minio' | 'versitygw'
  endpoint: string
  region: string
  /** The root user's. */
  accessKeyId: string
  secretAccessKey: string
  forcePathStyle: true
}

/** A server that is not there, and the sentence that says why. */
export interface MissingS3Server {
  name: S3Server['name']
  missing: string
}

/** One that this process has started: it can be killed, and run again with what it holds. */
export interface RunningS3Server extends S3Server {
  readonly process: ServerProcess
  readonly pid: number
  stop(): Promise<void>
}

export const S3_REGION = 'us-east-1'
