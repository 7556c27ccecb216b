import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { finished, jsonLines, theProgram } from './program-process.ts'

const { run, start, at } = theProgram()
const COUNT = 400

async function manyFiles(name: string): Promise<string[]> {
  await mkdir(at(name))
  for (let file = 0; file < COUNT; file++) await writeFile(at(name, `f${file}`), `text ${file}`)
  return ['--manifest', `sqlite:./${name}.db`, `file:./${name}`, `file:./${name}-new`]
}

/** Starts a run, ends it by `signal` once some objects have been copied, and says how many it told of. */
async function endedBy(signal: 'SIGINT' | 'SIGKILL', args: readonly string[]) {
  // Slow enough that the end comes before the last object, on any machine.
  const child = start(['migrate', 'run', ...args, '--rate', '100', '--json'])
  let told = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', chunk => {
    told += chunk
    if (told.split('"event":"copied"').length > 20) child.kill(signal)
  })
  const [code] = await once(child, 'close')
  return { code, copied: told.split('"event":"copied"').length - 1 }
}

test.each(['SIGINT', 'SIGKILL'] as const)(
  'what %s has ended goes on where it was',
  async signal => {
    const args = await manyFiles(signal.toLowerCase())
    const { code, copied } = await endedBy(signal, args)
    expect(code).toBe(signal === 'SIGINT' ? 130 : null)
    expect(copied).toBeGreaterThanOrEqual(20)
    expect(copied).toBeLessThan(COUNT)
    const rest = await run(['migrate', 'run', ...args.slice(0, 2), '--json'])
    expect([rest.code, rest.stderr]).toEqual([0, ''])
    const result = jsonLines(rest.stdout).at(-1) as { copied: number; complete: boolean }
    expect(result.complete).toBe(true)
    // What was told was written down: it is not copied again.
    expect(result.copied).toBeLessThanOrEqual(COUNT - copied)
    const folder = at(`${signal.toLowerCase()}-new`)
    expect((await readdir(folder)).filter(name => !name.startsWith('.'))).toHaveLength(COUNT)
    expect(await readFile(at(`${signal.toLowerCase()}-new`, 'f399'), 'utf8')).toBe('text 399')
  },
  60_000,
)

test('a person who ends it is told that it goes on', async () => {
  const args = await manyFiles('told')
  const child = start(['migrate', 'run', ...args, '--rate', '20'])
  const ended = finished(child)
  await eventually(async () => {
    const names = await readdir(at('told-new'))
    expect(names.some(name => !name.startsWith('.'))).toBe(true)
  })
  child.kill('SIGINT')
  const { code, stderr } = await ended
  expect([code, stderr]).toEqual([
    130,
    'ended; what is copied is written down, and stowage migrate run goes on\n',
  ])
}, 60_000)

test('a second run says that another one is at it, and what a kill has left is in nobody’s way', async () => {
  const args = await manyFiles('beside')
  const child = start(['migrate', 'run', ...args, '--rate', '20'])
  await eventually(async () => {
    const names = await readdir(at('beside-new'))
    expect(names.some(name => !name.startsWith('.'))).toBe(true)
  })
  const second = await run(['migrate', 'run', ...args])
  expect([second.code, second.stderr]).toEqual([5, expect.stringContaining(`process ${child.pid} on `)])
  expect(second.stderr).toContain('--beside')
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(await run(['migrate', 'run', ...args])).toMatchObject({ code: 0, stderr: '' })
})
