import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll } from 'vitest'
import { buildProgram } from './built-program.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly stdin?: string
  readonly env?: Record<string, string>
  /** Default: the working folder of all. */
  readonly cwd?: string
}

/**
 * The program as users have it, in a process and a folder of its own. Call it once in a test file, outside of
 * tests.
 */
export function theProgram() {
  let program: Awaited<ReturnType<typeof buildProgram>>
  let folder: string
  beforeAll(async () => {
    program = await buildProgram()
    folder = await mkdtemp(join(tmpdir(), 'stowage-cli-'))
  })
  afterAll(async () => {
    await program?.remove()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  function start(args: readonly string[], env: Record<string, string> = {}, cwd = folder) {
    const { PATH = '', HOME = '' } = process.env
    return spawn(process.execPath, [program.path, ...args], {
      cwd,
      // Nothing of this machine's own credentials and settings.
      env: { PATH, HOME, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  return {
    /** Paths in the working folder of runs. */
    at: (...path: string[]) => join(folder, ...path),
    /** The shell command that begins a run. */
    command: () => `${process.execPath} ${program.path}`,
    start,
    async run(args: readonly string[], { stdin = '', env, cwd }: ProgramOptions = {}): Promise<Finished> {
      const child = start(args, env, cwd)
      child.stdin.on('error', () => {})
      child.stdin.end(stdin)
      return finished(child)
    },
  }
}

export async function finished(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<Finished> {
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

/** The JSON objects of an output, one a line. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}
