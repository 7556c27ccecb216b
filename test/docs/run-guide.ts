/** Follows a guide step by step in a folder of its own, by a shell, as its reader does. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { root } from '../package/packed-package.ts'
import type { Guide, Step } from './guide.ts'
import { notPrinted } from './printed.ts'

export interface GuideOptions {
  /** The package as built. Default: the checkout's `dist`. */
  dist?: string
  /** The value of a variable that the reader has: an address, a key. */
  valueGiven?: (variable: string) => Promise<string>
  /** How long a step may take. */
  limitMs?: number
}

type Commands = Extract<Step, { kind: 'commands' }>
type Given = Extract<Step, { kind: 'given' }>

const POLL_MS = 20

/** @throws naming the line of the first step that went otherwise than the guide says */
export async function runGuide(guide: Guide, options: GuideOptions = {}): Promise<void> {
  const reader = new Reader(guide, options)
  try {
    // Before the first step: a guide that needs a server that is not here is not begun.
    for (const step of guide.steps) if (step.kind === 'given') await reader.ask(step)
    for (const step of guide.steps) await reader.follow(step)
  } finally {
    await reader.leave()
  }
}

class Reader {
  readonly #guide: Guide
  readonly #options: GuideOptions
  readonly #home = mkdtempSync(join(tmpdir(), 'stowage-guide-'))
  readonly #env: Record<string, string>
  readonly #running: ChildProcess[] = []
  readonly #given: { step: Given; line: string }[] = []
  #count = 0

  constructor(guide: Guide, options: GuideOptions) {
    this.#guide = guide
    this.#options = options
    const bin = this.#at('bin')
    for (const folder of [bin, this.#at('project'), this.#at('tmp')]) mkdirSync(folder)
    const shims = join(import.meta.dirname, 'shims')
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\nexec node '${join(shims, 'npm.js')}' "$@"\n`)
    copyFileSync(join(shims, 'npx.sh'), join(bin, 'npx'))
    for (const name of ['npm', 'npx']) chmodSync(join(bin, name), 0o755)
    this.#env = {
      PATH: [bin, dirname(process.execPath), ...systemFolders()].join(delimiter),
      HOME: this.#home,
      TMPDIR: this.#at('tmp'),
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      GUIDE_CHECKOUT: root,
      GUIDE_DIST: options.dist ?? join(root, 'dist'),
      GUIDE_NPM: programOnPath('npm'),
      // What Node, npm and the SDK say of their own age is not what a guide shows.
      NODE_NO_WARNINGS: '1',
      npm_config_update_notifier: 'false',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    }
    writeFileSync(this.#at('cwd'), this.#at('project'))
    writeFileSync(this.#at('exported'), '')
  }

  #at(...path: string[]): string {
    return join(this.#home, ...path)
  }

  async follow(step: Step): Promise<void> {
    if (step.kind === 'file') this.#write(step)
    else if (step.kind === 'commands') await this.#run(step)
    else if (step.kind === 'given') this.#give(step)
  }

  /** Ends what goes on running, and removes the folder. */
  async leave(): Promise<void> {
    for (const child of this.#running) await end(child)
    rmSync(this.#home, { recursive: true, force: true })
  }

  #write({ name, text, goesOn, line }: Extract<Step, { kind: 'file' }>): void {
    const path = join(readFileSync(this.#at('cwd'), 'utf8').trim(), name)
    mkdirSync(dirname(path), { recursive: true })
    if (goesOn && !existsSync(path)) throw this.#wrong(line, `${name} can't go on: it has not begun`)
    if (goesOn) appendFileSync(path, text)
    else writeFileSync(path, text)
  }

  /** Finds the values of what is given in a step. */
  async ask(step: Given): Promise<void> {
    for (const name of step.variables) {
      const value = await this.#options.valueGiven?.(name)
      if (value === undefined) throw this.#wrong(step.line, `nothing is known to give ${name}`)
      this.#given.push({ step, line: `export ${name}='${value.replaceAll("'", "'\\''")}'\n` })
    }
  }

  #give(step: Given): void {
    for (const given of this.#given) if (given.step === step) appendFileSync(this.#at('exported'), given.line)
  }

  async #run(step: Commands): Promise<void> {
    const script = this.#at(`${this.#count}.sh`)
    const output = this.#at(`${this.#count++}.out`)
    writeFileSync(
      script,
      `. '${this.#at('exported')}'
cd "$(cat '${this.#at('cwd')}')"
trap 'status=$?; { export -p; declare -f; } >"${this.#at('exported')}"; pwd >"${this.#at('cwd')}"; exit $status' EXIT
${step.text}`,
    )
    const file = openSync(output, 'w')
    // A group of its own, so that what it starts can be ended with it.
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      env: this.#env,
      stdio: ['ignore', file, file],
      detached: true,
    })
    closeSync(file)
    // Teardown is not reached when the runner is told to end at once; what it started must not outlive it.
    const endNow = () => signalGroup(child, 'SIGKILL')
    process.once('exit', endNow)
    child.once('exit', () => process.removeListener('exit', endNow))
    this.#running.push(child)
    const printed = () => readFileSync(output, 'utf8')
    await this.#settled(step, child, printed)
    const { prints } = step
    const missing = prints && notPrinted(prints.text, printed())
    if (missing !== undefined)
      throw this.#wrong(prints!.line, `there is no “${missing}” in its place in\n\n${printed()}`)
  }

  async #settled(
    { line, exits, until }: Commands,
    child: ChildProcess,
    printed: () => string,
  ): Promise<void> {
    const deadline = performance.now() + (this.#options.limitMs ?? 120_000)
    const isReady = () => until !== undefined && printed().includes(until)
    while (!hasEnded(child) && !isReady()) {
      if (performance.now() > deadline) throw this.#wrong(line, `it takes too long; so far\n\n${printed()}`)
      await wait(POLL_MS)
    }
    if (isReady()) return
    if (until !== undefined) throw this.#wrong(line, `it ended without “${until}”\n\n${printed()}`)
    if (child.exitCode !== exits)
      throw this.#wrong(line, `it ended with ${child.exitCode ?? child.signalCode}\n\n${printed()}`)
  }

  #wrong(line: number, what: string): Error {
    return new Error(`${this.#guide.path}:${line}: ${what}`)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  signalGroup(child, 'SIGTERM')
  const insist = setTimeout(() => signalGroup(child, 'SIGKILL'), 5_000)
  await ended
  clearTimeout(insist)
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // Nobody of it is left.
  }
}

/** PATH without what `npm test` puts before it: a guide has the programs that it installs. */
function systemFolders(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter(folder => !folder.includes('node_modules'))
}

function programOnPath(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
}
