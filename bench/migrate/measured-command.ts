/** A program from its start to its end: time, CPU of all its threads, and the most memory it had. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Measured {
  seconds: number
  /** User and system. */
  cpuSeconds: number
  /** The most resident memory, as Linux tells it; undefined elsewhere. */
  peakMiB: number | undefined
}

/** `time` of bash counts what the system has counted for the program, in milliseconds. */
const TIMED = 'TIMEFORMAT="%R %U %S"; time "$@" >&2'
const LOOK_MS = 20

/** @throws with the end of what it wrote, where it fails */
export async function measured(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const shell = spawn('bash', ['-c', TIMED, 'bash', program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let written = ''
  shell.stderr.on('data', chunk => {
    written += chunk
  })
  let peakMiB: number | undefined
  const look = setInterval(() => {
    peakMiB = Math.max(peakMiB ?? 0, peakOfChild(shell.pid!) ?? 0) || undefined
  }, LOOK_MS)
  const code = await new Promise(resolve => shell.once('close', resolve)).finally(() => clearInterval(look))
  const [, real, user, system] = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(written) ?? []
  if (code !== 0 || real === undefined)
    throw new Error(`${program} failed (${code}): ${written.slice(-2000)}`)
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system), peakMiB }
}

function peakOfChild(shell: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').split(' ')
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child}/status`, 'utf8')) ?? []
    return kib === undefined ? undefined : Number(kib) / 1024
  } catch {
    return undefined
  }
}
