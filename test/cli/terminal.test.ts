import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { theProgram } from './program-process.ts'

const SCRIPT = '/usr/bin/script'
const hasTerminal = existsSync(SCRIPT) && spawnSync(SCRIPT, ['--version']).status === 0
if (!hasTerminal) console.log('not run: progress bars on a terminal; script of util-linux is not here')

const { run, at, command } = theProgram()

/** What a run writes to a terminal of its own. */
function onTerminal(args: string): { output: string; code: number | null } {
  const { stdout, status } = spawnSync(SCRIPT, ['-qec', `${command()} ${args}`, '/dev/null'], {
    cwd: at('.'),
    encoding: 'utf8',
    input: '',
  })
  return { output: stdout, code: status }
}

describe.skipIf(!hasTerminal)('on a terminal', () => {
  it('a bar shows how far it is, and is gone at the end, with the cursor back', async () => {
    // Zeros that take no room, and enough of them that a bar is worth drawing.
    await writeFile(at('big.bin'), '')
    await truncate(at('big.bin'), 600_000_000)
    const { output, code } = onTerminal('put big.bin file:./s')
    expect(code).toBe(0)
    expect(output).toMatch(/[█░]{10,} +\d+% {2}[\d.]+ [kM]B of 600 MB {2}[\d.]+ [kM]B\/s/)
    expect(output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(output.lastIndexOf('\x1b[?25l'))
    expect(output).toContain('big.bin  600 MB\r\n')
    // The last thing that is drawn is nothing, from the bar's line on.
    expect(output.endsWith('\x1b[0J')).toBe(true)
  })

  it('what takes no time has no bar; --quiet says nothing and --json only that', async () => {
    await mkdir(at('t'), { recursive: true })
    await writeFile(at('t/a'), 'x')
    expect(onTerminal('put t/a file:./s').output).toBe('a  1 B\r\n')
    expect(onTerminal('put -q t/a file:./s').output).toBe('')
    expect(onTerminal('put --json t/a file:./s').output).toMatch(/^\{"action":"put".*\}\r\n$/)
  })

  it('an empty store says so', () => {
    expect(onTerminal('ls file:./no-such-folder').output).toBe('nothing is stored in this store\r\n')
  })

  it('a table ends with its sum', () => {
    expect(onTerminal('ls -l file:./s a').output).toMatch(/1 B .* a\r\n$/)
    expect(onTerminal('ls -lr file:./s').output).toMatch(/objects?, 600 MB\r\n$/)
  })
})

describe('beside a terminal', () => {
  it('there is no bar', async () => {
    const { stderr } = await run(['get', 'file:./s', 'big.bin', 'out.bin'])
    expect(stderr).toBe('')
  })
})
