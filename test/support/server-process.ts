/** Starts a server for tests in a folder of its own, waits until it answers, and ends that process and no other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface ServerCommand {
  command: string
  args: readonly string[]
  env: Record<string, string>
  /** Answers below 500 once the server is ready. */
  readyUrl: string
}

export interface ServerProcess {
  readonly port: number
  /** Another one after `restart`. */
  readonly pid: number
  /** What the process keeps its files in. */
  readonly folder: string
  /** SIGKILL: connections are reset, the port is closed, the folder stays. */
  kill(): Promise<void>
  /** A killed process runs again, on its port and its folder. */
  restart(): Promise<void>
  /** Ends the process and removes its folder. Safe to call twice. */
  stop(): Promise<void>
}

const READY_LIMIT_MS = 30_000
const POLL_MS = 25
const GRACE_MS = 5_000
const ATTEMPTS = 3

/** `command` gets a free port and an empty folder; a server that dies at once is tried again on another port. */
export async function startServerProcess(
  name: string,
  command: (port: number, folder: string) => ServerCommand,
): Promise<ServerProcess> {
  let failure: unknown
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), `stowage-${name}-`))
    try {
      return await startOnce(name, port, folder, command(port, folder))
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function startOnce(
  name: string,
  port: number,
  folder: string,
  { command, args, env, readyUrl }: ServerCommand,
): Promise<ServerProcess> {
  let child: ChildProcess
  const removeNow = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  const stop = async () => {
    await end(child)
    process.removeListener('exit', removeNow)
    rmSync(folder, { recursive: true, force: true })
  }
  const run = async () => {
    child = spawn(command, args, {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        output = (output + chunk).slice(-4_000)
      })
    }
    try {
      await ready(child, readyUrl)
    } catch (cause) {
      await end(child)
      throw new Error(`${name} did not start on port ${port}: ${output.trim() || 'it said nothing'}`, {
        cause,
      })
    }
  }
  // Its port is free, but a connection that goes out somewhere may have been given it for a moment.
  const restart = async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run()
      } catch (error) {
        if (attempt === ATTEMPTS) throw error
        await wait(1_000)
      }
    }
  }
  // Teardown is not reached when the runner is told to end at once; what it started must not outlive it.
  process.once('exit', removeNow)
  try {
    await run()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    get pid() {
      return child.pid as number
    },
    folder,
    kill: () => end(child, 'SIGKILL'),
    restart,
    stop,
  }
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  let startError: Error | undefined
  child.once('error', error => {
    startError = error
  })
  const deadline = performance.now() + READY_LIMIT_MS
  while (performance.now() < deadline) {
    if (startError) throw startError
    if (hasEnded(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) })
      await answer.body?.cancel()
      // Another program may have taken the port: the answer counts only while ours is alive.
      if (answer.status < 500 && !hasEnded(child)) return
    } catch {
      // Not listening yet.
    }
    await wait(POLL_MS)
  }
  throw new Error(`it was not ready after ${READY_LIMIT_MS} ms`)
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill(signal)
  const insist = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await ended
  clearTimeout(insist)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
