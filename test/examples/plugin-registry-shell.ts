/** One shell that follows a page: what a block defines and exports is there for the next one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../package/packed-package.ts'

export interface Shell {
  /** Runs commands to their end, and gives what they print. @throws where the last of them fails */
  run(commands: string): Promise<string>
  /** What it exports now. */
  environment(): Promise<Record<string, string>>
  close(): Promise<void>
}

const END = /::ended with (\d+)\n/

export function openShell(env: Readonly<Record<string, string>>): Shell {
  const temporary = process.env.TMPDIR === undefined ? {} : { TMPDIR: process.env.TMPDIR }
  const shell = spawn('bash', ['--noprofile', '--norc', '-o', 'pipefail'], {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      LANG: 'C.UTF-8',
      ...temporary,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  let look = () => {}
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
      look()
    })
  const ended = once(shell, 'close')
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
    look()
  })
  // The package is not installed in its own checkout: `npx stowage` is the program that was built.
  shell.stdin.write(`npx() { shift; '${process.execPath}' '${join(root, 'dist/cli.js')}' "$@"; }\n`)

  function run(commands: string): Promise<string> {
    output = ''
    shell.stdin.write(`{\n${commands}\n} </dev/null 2>&1\necho "::ended with $?"\n`)
    return new Promise((resolve, reject) => {
      look = () => {
        const end = END.exec(output)
        if (end?.[1] === '0') resolve(output.slice(0, end.index))
        else if (end !== null || hasEnded) reject(new Error(`this failed:\n${commands}\n${output}`))
      }
      look()
    })
  }

  return {
    run,
    async environment() {
      const printed = await run('env -0')
      const pairs = printed.split('\0').filter(Boolean)
      return Object.fromEntries(
        pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
      )
    },
    async close() {
      shell.stdin.end()
      await ended
    },
  }
}
