/** Programs of `examples/`, started as a user starts them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../package/packed-package.ts'

export interface Ended {
  status: number | null
  stdout: string
  stderr: string
  /** What it left in the folder for temporary files. */
  left: string[]
}

type Environment = Record<string, string>

/** Runs to its end. Not `spawnSync`: a stand-in that the program asks may live in this process. */
export async function runExample(path: string, args: string[] = [], env: Environment = {}): Promise<Ended> {
  const temporary = mkdtempSync(join(tmpdir(), 'stowage-example-'))
  const child = start(path, args, { TMPDIR: temporary, ...env })
  const output = collect(child)
  const [status] = await once(child, 'close')
  const left = readdirSync(temporary)
  rmSync(temporary, { recursive: true, force: true })
  return { status, ...output, left }
}

export interface RunningExample {
  /** What the first line that matches `ready` says. */
  readonly said: RegExpExecArray
  output(): string
  kill(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts a server, and waits until it says that it is ready. */
export async function startExample(
  path: string,
  args: string[],
  env: Environment,
  ready: RegExp,
): Promise<RunningExample> {
  const child = start(path, args, env)
  const output = collect(child)
  const ended = once(child, 'close').then(([status]) => status as number | null)
  const said = await new Promise<RegExpExecArray>((resolve, reject) => {
    const look = () => {
      const match = ready.exec(output.stdout)
      if (match !== null) resolve(match)
    }
    child.stdout!.on('data', look)
    void ended.then(() => reject(new Error(`${path} ended: ${output.stdout}${output.stderr}`)))
  })
  return {
    said,
    output: () => output.stdout + output.stderr,
    kill(signal) {
      child.kill(signal)
      return ended
    },
  }
}

function start(path: string, args: string[], env: Environment): ChildProcess {
  return spawn(process.execPath, [join('examples', path), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function collect(child: ChildProcess) {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', chunk => {
      output[name] += chunk
    })
  return output
}
