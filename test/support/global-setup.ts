/**
 * Starts the real servers once for the whole test run and stops them after it.
 *
 * `STOWAGE_TEST_SERVERS=none` starts none, for a quick look at tests that need none of them; `=postgres` that one only.
 * `STOWAGE_TEST_REQUIRE=all` fails the run where one is missing.
 */
import type { TestProject } from 'vitest/node'
import { findOrInstallTool } from './install-tool.ts'
import { startMinio } from './minio.ts'
import { type MissingPostgres, type PostgresServer, type RunningPostgres, startPostgres } from './postgres.ts'
import type { MissingS3Server, RunningS3Server, S3Server } from './s3-server.ts'
import { everythingIsRequired, findTool, missingTool } from './tools.ts'
import { startVersitygw } from './versitygw.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    s3Servers: (S3Server | MissingS3Server)[]
    postgres: PostgresServer | MissingPostgres
  }
}

const STARTERS = { minio: startMinio, versitygw: startVersitygw }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running: (RunningS3Server | RunningPostgres)[] = []
  const stopAll = async () => {
    await Promise.all(running.map(server => server.stop()))
  }
  const provided: (S3Server | MissingS3Server)[] = []
  try {
    for (const name of ['minio', 'versitygw'] as const) {
      const server = await startOrSay(name)
      if ('missing' in server) {
        if (everythingIsRequired() && isWanted(name)) throw new Error(server.missing)
        provided.push(server)
        continue
      }
      running.push(server)
      const { stop: _stop, pid: _pid, process: _process, ...toProvide } = server
      provided.push(toProvide)
    }
    const postgres = await startPostgresOrSay()
    if ('missing' in postgres) {
      if (everythingIsRequired() && isWanted('postgres')) throw new Error(postgres.missing)
      project.provide('postgres', postgres)
    } else {
      running.push(postgres)
      const { stop: _stop, pid: _pid, ...toProvide } = postgres
      project.provide('postgres', toProvide)
    }
  } catch (error) {
    await stopAll()
    throw error
  }
  project.provide('s3Servers', provided)
  return stopAll
}

async function startOrSay(name: S3Server['name']): Promise<RunningS3Server | MissingS3Server> {
  if (!isWanted(name)) return { name, missing: notWanted() }
  const command = await findOrInstallTool(name, line => console.log(line))
  return command ? STARTERS[name](command) : { name, missing: missingTool(name) }
}

async function startPostgresOrSay(): Promise<RunningPostgres | MissingPostgres> {
  if (!isWanted('postgres')) return { missing: notWanted() }
  const command = findTool('postgres')
  return command ? startPostgres(command) : { missing: missingTool('postgres') }
}

function isWanted(name: S3Server['name'] | 'postgres'): boolean {
  const wanted = process.env.STOWAGE_TEST_SERVERS
  return !wanted || wanted === name
}

function notWanted(): string {
  return `STOWAGE_TEST_SERVERS=${process.env.STOWAGE_TEST_SERVERS}`
}
