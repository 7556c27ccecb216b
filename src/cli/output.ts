import { once } from 'node:events'
import { type Failure, failureOf } from './exit-codes.ts'
import { printable } from './human-format.ts'
import { Progress } from './progress.ts'
import type { Terminal } from './terminal.ts'

export interface OutputOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Results on stdout, for people or as one JSON object a line; everything else on stderr. */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly progress: Progress
  readonly #terminal: Terminal
  readonly #command: string

  constructor(terminal: Terminal, command: string, options: OutputOptions) {
    this.#terminal = terminal
    this.#command = command
    this.json = options.json === true
    this.quiet = options.quiet === true
    this.progress = new Progress(terminal.stderr, !this.json && !this.quiet)
  }

  get isTerminal(): boolean {
    return this.#terminal.stdout.isTTY === true
  }

  /** What the command is asked for: printed also with `--quiet`. */
  async result(object: object, text: string): Promise<void> {
    const line = `${this.json ? JSON.stringify(object) : text}\n`
    // A bar on the same screen gives way; one result must not be written over the other.
    if (this.isTerminal && this.progress.above(line)) return
    if (!this.#terminal.stdout.write(line)) await once(this.#terminal.stdout, 'drain')
  }

  /** A piece of a document that the command is asked for: printed as it is. */
  async text(piece: string): Promise<void> {
    if (!this.#terminal.stdout.write(piece)) await once(this.#terminal.stdout, 'drain')
  }

  /** What was done: left out with `--quiet`. */
  async done(object: object, text: string): Promise<void> {
    if (!this.quiet) await this.result(object, text)
  }

  /** For people who watch. */
  note(text: string): void {
    if (this.quiet || this.json) return
    const line = `${text}\n`
    if (!this.progress.above(line)) this.#terminal.stderr.write(line)
  }

  fail(error: unknown): Failure {
    const failure = failureOf(error)
    const { code, message, key, exitCode } = failure
    const named = key === undefined ? '' : `${printable(key)}: `
    const text = this.json
      ? JSON.stringify({ error: { code, message, ...(key === undefined ? {} : { key }), exitCode } })
      : `stowage ${this.#command}: ${named}${printable(message)}`
    const detail =
      this.#terminal.env.STOWAGE_DEBUG && error instanceof Error ? `\n${error.stack}${causeOf(error)}` : ''
    const line = `${text}${detail}\n`
    if (!this.progress.above(line)) this.#terminal.stderr.write(line)
    return failure
  }
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : ''
}
