import type { Readable, Writable } from 'node:stream'

/** Where the program runs: everything it touches beside the stores. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends when the user interrupts, or the reader of the output has gone. */
  readonly signal: AbortSignal
}
