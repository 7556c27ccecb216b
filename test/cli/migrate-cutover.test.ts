import { describe, expect, it } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()
const STORES = ['file:./old', 'file:./new', '--records', 'sqlite:./records.db']
const cutover = (command: string, ...rest: readonly string[]) =>
  run(['migrate', 'cutover', command, ...STORES, ...rest])

describe('stowage migrate cutover', () => {
  it('takes a store through the phases, says what is to be done before each, and drops the source', async () => {
    const engine = sqlite({ path: at('records.db') })
    const files = withRecords(local({ root: at('old') }), engine, { env: {} })
    await files.upload('a.txt', 'a')
    await files.upload('b.txt', 'bb')
    await files.close()
    expect((await cutover('status')).stdout).toMatch(/^default {2}source-only: .*\nprocess {2}none\n/)
    expect(await cutover('advance')).toMatchObject({
      stdout: expect.stringMatching(/^dual-write: /),
      stderr: expect.stringContaining('no process is listed'),
    })
    expect((await cutover('advance')).stderr).toBe('')
    expect(await cutover('advance')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('run a backfill that ends without failures'),
    })
    // The files, and the marker of the record set where it has one.
    const backfilled = await cutover('backfill', '--json')
    expect(jsonLines(backfilled.stdout)).toMatchObject([
      { action: 'backfill', copied: 2, known: 0, failed: 0 },
    ])
    await cutover('advance')
    expect(await cutover('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('everything matches'),
    })
    await cutover('advance')
    expect(await cutover('differences')).toMatchObject({ code: 0, stdout: '' })
    await cutover('advance')
    expect((await cutover('back')).stdout).toMatch(/^compare-reads: /)
    await cutover('advance')
    expect(await cutover('drop-source')).toMatchObject({ code: 5 })
    expect(await cutover('verify', '--level', 'content')).toMatchObject({ code: 0 })
    expect((await cutover('advance')).stdout).toMatch(/^retired: /)
    expect((await cutover('drop-source')).stdout).toMatch(/^would delete 2 objects \(3 B\); add --apply/)
    expect((await cutover('drop-source', '--apply')).stdout).toMatch(
      /^deleted 2 objects \(3 B\) from the source/,
    )
    expect((await run(['ls', '-r', 'file:./old'])).stdout).toBe('')
    expect((await cutover('status')).stdout).toContain('the source is dropped')
    const moved = withRecords(local({ root: at('new') }), sqlite({ path: at('records.db') }), { env: {} })
    expect(await (await moved.download('b.txt')).text()).toBe('bb')
    await moved.close()
  }, 120_000)

  it('goes nowhere else than where it has begun to go', async () => {
    await local({ root: at('house') }).upload('x.txt', 'x')
    const name = ['--records', 'sqlite:./records.db', '--name', 'house']
    const go = (from: string, to: string, command: string, ...rest: readonly string[]) =>
      run(['migrate', 'cutover', command, `file:./${from}`, `file:./${to}`, ...name, ...rest])
    expect((await go('house', 'right', 'advance')).code).toBe(0)
    for (const [from, to] of [
      ['house', 'wrong'],
      ['elsewhere', 'right'],
      ['right', 'house'],
    ] as const)
      for (const command of ['status', 'advance', 'backfill', 'settle', 'verify', 'drop-source'])
        expect(await go(from, to, command)).toMatchObject({
          code: 5,
          stderr: expect.stringMatching(
            /"house" goes from file:\S+house\/ to file:\S+right\/, and these stores are/,
          ),
        })
    expect((await run(['ls', '-r', 'file:./wrong'])).stdout).toBe('')
    expect((await go('house', 'right', 'status')).stdout).toMatch(/^house {2}dual-write: /)
  }, 120_000)

  it('finds what differs, and ends with 6', async () => {
    const name = ['--name', 'second']
    const store = local({ root: at('old') })
    await store.upload('x.txt', 'right')
    for (const command of ['advance', 'advance', 'backfill', 'advance']) await cutover(command, ...name)
    await local({ root: at('new') }).upload('x.txt', 'wrong')
    const { code, stdout } = await cutover('verify', '--level', 'content', ...name)
    expect(code).toBe(6)
    expect(stdout).toMatch(/^differ {2}x\.txt {2}/m)
    expect(await cutover('advance', ...name)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('does not match'),
    })
    expect(await cutover('verify', '--level', 'nonsense', ...name)).toMatchObject({ code: 2 })
  }, 120_000)
})
