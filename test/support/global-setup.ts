/**
 * Starts the real servers once for the whole test run and stops them after it.
 *
 * `STOWAGE_TEST_SERVERS=none` starts none, for a quick look at tests that need none of them.
 * `STOWAGE_TEST_REQUIRE=all` fails the run where one is missing.
 */
import type { TestProject } from 'vitest/node'
import { findOrInstallTool } from './install-tool.ts'
import { startMinio } from './minio.ts'
import type { MissingS3Server, RunningS3Server, S3Server } from './s3-server.ts'
import { everythingIsRequired, missingTool } from './tools.ts'
import { startVersitygw } from './versitygw.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    s3Servers: (S3Server | MissingS3Server)[]
  }
}

const STARTERS = { minio: startMinio, versitygw: startVersitygw }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running: RunningS3Server[] = []
  const stopAll = async () => {
    await Promise.all(running.map(server => server.stop()))
  }
  const provided: (S3Server | MissingS3Server)[] = []
  try {
    for (const name of ['minio', 'versitygw'] as const) {
      const server = await startOrSay(name)
      if ('missing' in server) {
        if (everythingIsRequired() && !serversAreOff()) throw new Error(server.missing)
        provided.push(server)
        continue
      }
      running.push(server)
      const { stop: _stop, pid: _pid, ...toProvide } = server
      provided.push(toProvide)
    }
  } catch (error) {
    await stopAll()
    throw error
  }
  project.provide('s3Servers', provided)
  return stopAll
}

async function startOrSay(name: S3Server['name']): Promise<RunningS3Server | MissingS3Server> {
  if (serversAreOff()) return { name, missing: 'STOWAGE_TEST_SERVERS=none' }
  const command = await findOrInstallTool(name, line => console.log(line))
  return command ? STARTERS[name](command) : { name, missing: missingTool(name) }
}

function serversAreOff(): boolean {
  return process.env.STOWAGE_TEST_SERVERS === 'none'
}
