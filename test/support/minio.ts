import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { type RunningS3Server, S3_REGION } from './s3-server.ts'
import { startServerProcess } from './server-process.ts'

export interface MinioOptions {
  /** Beside the ones set here, for example `MINIO_API_REQUESTS_MAX`. */
  env?: Record<string, string>
}

/** Starts a MinIO of its own on loopback. `command` is the program's path, see `findTool('minio')`. */
export async function startMinio(command: string, { env = {} }: MinioOptions = {}): Promise<RunningS3Server> {
  const accessKeyId = 'stowage-root'
  const secretAccessKey = 'stowage-root-secret'
  const consolePort = await freePort()
  const server = await startServerProcess('minio', (port, folder) => {
    const data = join(folder, 'data')
    mkdirSync(data)
    return {
      command,
      args: [
        'server',
        data,
        '--address',
        `127.0.0.1:${port}`,
        '--console-address',
        `127.0.0.1:${consolePort}`,
        '--config-dir',
        join(folder, 'config'),
      ],
      env: {
        MINIO_ROOT_USER: accessKeyId,
        MINIO_ROOT_PASSWORD: secretAccessKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        // Lets it keep its data on the disk that the system runs from.
        MINIO_CI_CD: '1',
        ...env,
      },
      readyUrl: `http://127.0.0.1:${port}/minio/health/ready`,
    }
  })
  return {
    name: 'minio',
    endpoint: `http://127.0.0.1:${server.port}`,
    region: S3_REGION,
    accessKeyId,
    secretAccessKey,
    forcePathStyle: true,
    process: server,
    get pid() {
      return server.pid
    },
    stop: server.stop,
  }
}
