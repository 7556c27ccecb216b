import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { theProgram } from './program-process.ts'

const { run } = theProgram()

it('runs from its source, too', async () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main, '--help'])
  expect(stdout).toContain('Usage: stowage <command>')
})

describe('wrong usage', () => {
  it.each([
    [['frob'], "stowage: unknown command 'frob'; see stowage --help"],
    [['pt'], "stowage: unknown command 'pt' (Did you mean put?)"],
    [['ls', '--jsn', 'file:./x'], "stowage ls: unknown option '--jsn' (Did you mean --json?)"],
    [
      ['get', 'file:./x'],
      "stowage get: missing required argument 'key': name it behind the store, as in stowage get s3://bucket a/photo.jpg",
    ],
    [['put', 'a.txt'], 'stowage put: name the store, such as file:./data or s3://bucket'],
    [
      ['put', 'file:./x', 'a'],
      'stowage put: name what to store in front of the store: stowage put photo.jpg file:./data',
    ],
    [
      ['cp', 'file:./x', 'a'],
      'stowage cp: use <store> <key> <new-key>, or <store> <key> <other-store> <new-key>',
    ],
    [['cp', 'file:./x', 'file:./y'], expect.stringContaining('add -r to copy everything')],
    [['mv', 'file:./x', 'file:./y'], expect.stringContaining('add -r to move everything')],
    [['put'], 'stowage put: use <path...> <store> [key]; see stowage put --help'],
    [['mv'], 'stowage mv: use <store> <key> [other-store] <new-key>; see stowage mv --help'],
    [['help', 'frob'], "stowage: unknown command 'frob'; see stowage --help"],
    [['ls', './x'], expect.stringContaining('known are file:./dir, memory:')],
    [['sign', 'file:./x', 'a'], expect.stringContaining('STOWAGE_URL_SECRET and STOWAGE_BASE_URL')],
    [['sign', 'file:./x', 'a', '-e', '10x'], expect.stringContaining('Use 90s, 10m, 1h or 7d')],
    [['put', '-', 'file:./x', '../up'], expect.stringContaining("must not contain '.' or '..'")],
    [['serve', 's3://b'], expect.stringContaining('serves its signed URLs by itself')],
  ])('%j ends with 2 and one line', async (args, message) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout, stderr.trimEnd()]).toEqual([2, '', message])
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('is told as JSON where that is asked for', async () => {
    const { code, stderr } = await run(['ls', '--json', '--bogus'])
    expect([code, JSON.parse(stderr)]).toEqual([
      2,
      { error: { code: 'usage', message: "unknown option '--bogus'", exitCode: 2 } },
    ])
  })

  it('with a secret in the URL does not repeat it', async () => {
    const { code, stderr } = await run(['ls', 's3://AKIA:hunter2hunter2@bucket'], {
      env: { STOWAGE_DEBUG: '1' },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/environment/)
    expect(stderr).not.toContain('hunter2')
  })
})

describe('help', () => {
  it('has examples for every command, and the exit codes', async () => {
    const { code, stdout } = await run(['--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/75 +failed for now/)
    const commands = [...stdout.matchAll(/^ {2}(\w+) <.*[>\]] {2,}/gm)].map(match => match[1]!)
    expect(commands).toEqual(
      ['put', 'get', 'ls', 'info', 'cat', 'cp', 'mv', 'rm', 'sign', 'serve'].concat([
        'audit',
        'gc',
        'doctor',
        'tenants',
        'records',
        's3',
        'migrate',
      ]),
    )
    for (const command of commands) {
      const help = await run([command, '--help'])
      expect([help.code, help.stderr]).toEqual([0, ''])
      expect(help.stdout).toMatch(new RegExp(`Examples:\n  (\\S+=\\S+ )?stowage ${command} `))
    }
  })

  it('is printed where nothing is asked, with 2', async () => {
    const { code, stdout } = await run([])
    expect([code, stdout]).toEqual([2, (await run(['help'])).stdout])
  })

  it('tells the version', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('exit codes', () => {
  it('tell a server that is not there for now from what fails for good', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
    const { code, stderr } = await run(['ls', `s3://bucket?endpoint=${endpoint}`], { env })
    expect([code, stderr.trimEnd().split('\n').length]).toEqual([75, 1])
  })

  it('print a stack only where it is asked for', async () => {
    const plain = await run(['get', 'file:./none', 'x'])
    expect(plain.stderr).not.toMatch(/\n +at /)
    const debug = await run(['get', 'file:./none', 'x'], { env: { STOWAGE_DEBUG: '1' } })
    expect(debug.stderr).toMatch(/\n +at /)
    expect([plain.code, debug.code]).toEqual([3, 3])
  })
})
