import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningS3Server, S3_REGION } from './s3-server.ts'
import { startServerProcess } from './server-process.ts'

/** Starts a versitygw of its own over a folder. `command` is the program's path, see `findTool('versitygw')`. */
export async function startVersitygw(command: string): Promise<RunningS3Server> {
  const accessKeyId = 'stowage-root'
  const secretAccessKey = 'stowage-root-secret'
  const server = await startServerProcess('versitygw', (port, folder) => {
    const data = join(folder, 'data')
    const versions = join(folder, 'versions')
    for (const path of [data, versions]) mkdirSync(path)
    return {
      command,
      args: [
        '--port',
        `127.0.0.1:${port}`,
        '--region',
        S3_REGION,
        '--health',
        '/health',
        '--quiet',
        'posix',
        '--versioning-dir',
        versions,
        data,
      ],
      env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
      readyUrl: `http://127.0.0.1:${port}/health`,
    }
  })
  return {
    name: 'versitygw',
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
