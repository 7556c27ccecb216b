/** The program `stowage`: its signals, its pipes and its exit code around `runProgram`. */
import { existsSync, readFileSync } from 'node:fs'
import { EXIT } from './exit-codes.ts'
import { Ended, runProgram } from './program.ts'

/** Beside `dist`; a level further up where the program runs from its source. */
const manifest = ['../package.json', '../../package.json']
  .map(path => new URL(path, import.meta.url))
  .find(url => existsSync(url))!
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
const SIGTERM_EXIT = 143
const ended = new AbortController()

for (const [signal, code] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', SIGTERM_EXIT],
] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait for things to be cleaned up.
    if (ended.signal.aborted) process.exit(code)
    ended.abort(new Ended(code))
  })
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!ended.signal.aborted) ended.abort(new Ended(EXIT.brokenPipe))
  })
}
// The SDK's words on future versions of Node are for developers, not for who copies a file.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

const { stdin, stdout, stderr, env } = process
process.exitCode = await runProgram(
  process.argv.slice(2),
  { stdin, stdout, stderr, env, signal: ended.signal },
  version,
)
// A pipe that is still open would keep an interrupted program alive.
stdin.destroy()
