/** A real PostgreSQL on loopback for tests. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'

/** What a test needs to talk to the PostgreSQL that the test run has started. */
export interface PostgresServer {
  port: number
  /** Of the superuser, to the database `postgres`. */
  url: string
  version: string
}

/** A server that is not there, and the sentence that says why. */
export interface MissingPostgres {
  missing: string
}

export type RunningPostgres = PostgresServer & { pid: number; stop(): Promise<void> }

export interface PostgresServerOptions {
  /** Whether commits wait for the disk. Default false: tests end their server and its files. */
  fsync?: boolean
  /** Beside the ones set here: `{ deadlock_timeout: '100ms' }`. */
  settings?: Record<string, string>
}

const READY_LIMIT_MS = 30_000
const GRACE_MS = 5_000

/** Starts a PostgreSQL of its own. `command` is the path of `postgres`, see `findTool('postgres')`. */
export async function startPostgres(
  command: string,
  { fsync = false, settings = {} }: PostgresServerOptions = {},
): Promise<RunningPostgres> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'stowage-postgres-'))
  const user = unprivilegedUser()
  const data = join(folder, 'data')
  mkdirSync(data)
  if (user !== undefined) {
    chmodSync(folder, 0o755)
    chownSync(data, user.uid, user.gid)
  }
  const options = { cwd: data, env: { PATH: process.env.PATH ?? '', HOME: data, LC_ALL: 'C' }, ...user }
  let child: ChildProcess | undefined
  const removeNow = () => {
    child?.kill('SIGQUIT')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    execFileSync(
      join(dirname(realpathSync(command)), 'initdb'),
      ['-D', data, '-U', 'stowage', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const configuration = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: fsync ? 'on' : 'off',
      max_connections: '200',
      ...settings,
    }
    const flags = Object.entries(configuration).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    child = spawn(command, ['-D', data, '-p', String(port), ...flags], {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    // Teardown is not reached when the runner is told to end at once; what it started must not outlive it.
    process.once('exit', removeNow)
    const url = `postgres://stowage@127.0.0.1:${port}/postgres`
    const version = await ready(child, url)
    const started = child
    return {
      port,
      url,
      version,
      pid: child.pid as number,
      async stop() {
        await end(started)
        process.removeListener('exit', removeNow)
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (cause) {
    if (child !== undefined) await end(child)
    process.removeListener('exit', removeNow)
    rmSync(folder, { recursive: true, force: true })
    throw cause
  }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // No such user here.
    }
  }
  return undefined
}

async function ready(child: ChildProcess, url: string): Promise<string> {
  let output = ''
  let failure: Error | undefined
  child.stderr?.on('data', chunk => {
    output = (output + chunk).slice(-4_000)
  })
  child.once('error', error => {
    failure = error
  })
  const deadline = performance.now() + READY_LIMIT_MS
  while (performance.now() < deadline && failure === undefined && child.exitCode === null) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      const { rows } = await client.query('SHOW server_version')
      return String(rows[0].server_version).split(' ')[0]!
    } catch {
      await wait(25)
    } finally {
      await client.end().catch(() => {})
    }
  }
  throw new Error(`postgres did not start: ${failure?.message ?? (output.trim() || 'it said nothing')}`)
}

/** SIGINT is PostgreSQL's fast shutdown: connections are ended, not waited for. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGINT')
  const insist = setTimeout(() => child.kill('SIGQUIT'), GRACE_MS)
  await ended
  clearTimeout(insist)
}
