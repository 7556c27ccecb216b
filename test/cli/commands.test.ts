import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()

async function keysIn(store: string): Promise<string[]> {
  const { stdout } = await run(['ls', '-r', store])
  return stdout.split('\n').filter(Boolean)
}

describe('put and get', () => {
  it('store a file and fetch it back, under its own name or a key', async () => {
    await writeFile(at('a.txt'), 'Hello')
    expect(await run(['put', 'a.txt', 'file:./s1'])).toEqual({ code: 0, stdout: 'a.txt  5 B\n', stderr: '' })
    await run(['put', 'a.txt', 'file:./s1', 'b/c.txt', '--meta', 'who=me', '--meta', 'x=a=b', '-q'])
    await run(['put', 'a.txt', 'file:./s1', 'd/'])
    expect(await keysIn('file:./s1')).toEqual(['a.txt', 'b/c.txt', 'd/a.txt'])
    expect(await run(['get', 'file:./s1', 'b/c.txt'])).toMatchObject({ code: 0, stdout: 'c.txt  5 B\n' })
    expect(await readFile(at('c.txt'), 'utf8')).toBe('Hello')
    const { stdout } = await run(['info', '--json', 'file:./s1', 'b/c.txt'])
    expect(jsonLines(stdout)).toMatchObject([
      { key: 'b/c.txt', size: 5, contentType: 'text/plain', metadata: { who: 'me', x: 'a=b' } },
    ])
  })

  it('take stdin and give stdout', async () => {
    expect((await run(['put', '-', 'file:./s2', 'in.txt'], { stdin: 'from a pipe' })).code).toBe(0)
    expect((await run(['get', 'file:./s2', 'in.txt', '-'])).stdout).toBe('from a pipe')
    expect((await run(['cat', 'file:./s2', 'in.txt', 'in.txt'])).stdout).toBe('from a pipefrom a pipe')
    expect((await run(['cat', 'file:./s2', 'in.txt', '--range', '5-5'])).stdout).toBe('a')
    expect((await run(['put', '-', 'file:./s2'])).code).toBe(2)
  })

  it('store a folder and fetch it back, whatever the names', async () => {
    const names = ['one.txt', 'sub/zwei ö.txt', 'sub/100% #?.txt', '.hidden', '日本/😀']
    await mkdir(at('tree/sub'), { recursive: true })
    await mkdir(at('tree/日本'))
    for (const name of names) await writeFile(at('tree', name), name)
    await symlink('one.txt', at('tree/link.txt'))
    await symlink('nowhere', at('tree/broken'))
    const put = await run(['put', '-r', 'tree', 'file:./s3', 'in'])
    expect(put.code).toBe(0)
    expect(put.stderr).toContain('skipped tree/broken')
    expect(put.stderr).toContain('6 files')
    expect((await keysIn('file:./s3')).sort()).toEqual(
      [...names, 'link.txt'].map(name => `in/${name}`).sort(),
    )
    expect((await run(['get', '-r', 'file:./s3', 'in', 'out'])).code).toBe(0)
    for (const name of names) expect(await readFile(at('out', name), 'utf8')).toBe(name)
    expect(await readdir(at('out'))).toHaveLength(5)
  })

  it('take no folder without -r, and store nothing with --dry-run', async () => {
    await mkdir(at('plain'), { recursive: true })
    await writeFile(at('plain/x'), '')
    expect(await run(['put', 'plain', 'file:./s4'])).toMatchObject({
      code: 2,
      stderr: 'stowage put: plain is a folder; add -r to store what is in it\n',
    })
    expect((await run(['put', '-rn', 'plain', 'file:./s4'])).stdout).toBe('would store x\n')
    expect(await keysIn('file:./s4')).toEqual([])
  })

  it('overwrite nothing with --no-overwrite', async () => {
    await writeFile(at('v1'), '1')
    await run(['put', 'v1', 'file:./s5', 'v'])
    const put = await run(['put', '-', 'file:./s5', 'v', '--no-overwrite'], { stdin: '2' })
    expect([put.code, put.stderr]).toEqual([5, 'stowage put: v: something is stored under this key\n'])
    const get = await run(['get', 'file:./s5', 'v', 'v1', '--no-overwrite'])
    expect([get.code, get.stderr]).toEqual([5, 'stowage get: v1: there is a file of this name already\n'])
    expect((await readdir(at('.'))).filter(name => name.endsWith('.part'))).toEqual([])
  })

  it('say of a folder that it is one, and of nothing that it is not found', async () => {
    await run(['put', '-', 'file:./s6', 'in/v'], { stdin: '1' })
    for (const args of [
      ['get', 'file:./s6', 'in'],
      ['cp', 'file:./s6', 'in', 'out'],
      ['mv', 'file:./s6', 'in', 'file:./s7', 'in'],
    ])
      expect(await run(args)).toMatchObject({
        code: 2,
        stderr: `stowage ${args[0]}: in is a folder; add -r for what is in it\n`,
      })
    for (const args of [
      ['get', '-r', 'file:./s6', 'nope', 'here'],
      ['cp', '-r', 'file:./s6', 'nope', 'out'],
      ['mv', '-r', 'file:./s6', 'nope', 'file:./s7', 'in'],
    ])
      expect(await run(args)).toMatchObject({
        code: 3,
        stderr: `stowage ${args[0]}: nope/: nothing is stored in this folder\n`,
      })
    expect(await run(['cp', '-r', 'file:./s8', 'file:./s7'])).toMatchObject({
      code: 0,
      stderr: 'nothing is stored in this store\n',
    })
  })

  it('leave no file where the store has none', async () => {
    expect(await run(['get', 'file:./s5', 'nope', 'new.txt'])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: 'stowage get: nope: nothing is stored under this key\n',
    })
    expect(await readdir(at('.'))).not.toContain('new.txt')
  })
})

describe('ls', () => {
  it('lists a folder, everything, or one object; with sizes, or as JSON', async () => {
    for (const key of ['a.txt', 'b/1.txt', 'b/2.txt', 'bb.txt'])
      await run(['put', '-', 'file:./l', key], { stdin: key })
    expect((await run(['ls', 'file:./l'])).stdout).toBe('a.txt\nb/\nbb.txt\n')
    expect((await run(['ls', 'file:./l', 'b'])).stdout).toBe('b/1.txt\nb/2.txt\n')
    expect((await run(['ls', 'file:./l', 'a.txt'])).stdout).toBe('a.txt\n')
    expect((await run(['ls', '-l', 'file:./l', 'a.txt'])).stdout).toMatch(
      /^ +5 B {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}text\/plain +a\.txt\n$/,
    )
    expect(jsonLines((await run(['ls', '--json', 'file:./l'])).stdout)).toMatchObject([
      { kind: 'object', key: 'a.txt', size: 5 },
      { kind: 'prefix', prefix: 'b/' },
      { kind: 'object', key: 'bb.txt' },
    ])
    expect(await run(['ls', 'file:./l', 'c'])).toMatchObject({ code: 3, stdout: '' })
  })

  it('shows what would steer a terminal instead of doing it', async () => {
    await run(['put', '-', 'file:./l2', 'a\x1b[31mred\n'], { stdin: 'x' })
    expect((await run(['ls', 'file:./l2'])).stdout).toBe('a\\u001b[31mred\\u000a\n')
  })
})

describe('cp, mv and rm', () => {
  it('copy and move within a store', async () => {
    await run(['put', '-', 'file:./c1', 'a.txt', '--meta', 'k=v'], { stdin: 'x' })
    expect((await run(['cp', 'file:./c1', 'a.txt', 'b/'])).stdout).toBe('a.txt -> b/a.txt  1 B\n')
    expect((await run(['mv', 'file:./c1', 'a.txt', 'c.txt'])).code).toBe(0)
    expect(await keysIn('file:./c1')).toEqual(['b/a.txt', 'c.txt'])
    expect((await run(['info', 'file:./c1', 'c.txt'])).stdout).toMatch(/meta k +v\n/)
  })

  it('copy to another store with everything that is kept, and move only what has arrived', async () => {
    for (const key of ['p/1', 'p/q/2', 'other'])
      await run(['put', '-', 'file:./c2', key, '-t', 'image/png', '--meta', 'k=v'], { stdin: key })
    expect((await run(['cp', '-r', 'file:./c2', 'p', 'file:./c3', 'new'])).code).toBe(0)
    expect(await keysIn('file:./c3')).toEqual(['new/1', 'new/q/2'])
    expect(jsonLines((await run(['info', '--json', 'file:./c3', 'new/1'])).stdout)).toMatchObject([
      { contentType: 'image/png', metadata: { k: 'v' } },
    ])
    expect((await run(['mv', '-r', 'file:./c2', 'file:./c4'])).code).toBe(0)
    expect(await keysIn('file:./c2')).toEqual([])
    expect(await keysIn('file:./c4')).toEqual(['other', 'p/1', 'p/q/2'])
    await run(['put', '-', 'file:./c2', 'other'], { stdin: 'newer' })
    expect((await run(['mv', 'file:./c2', 'other', 'file:./c4', 'other', '--no-overwrite'])).code).toBe(5)
    expect(await keysIn('file:./c2')).toEqual(['other'])
  })

  it('delete keys and folders, and never what only begins alike', async () => {
    for (const key of ['a', 'dir/1', 'dir/2', 'dir2/1'])
      await run(['put', '-', 'file:./r', key], { stdin: 'x' })
    expect((await run(['rm', 'file:./r', 'a', 'nope'])).stdout).toBe('a  deleted\nnope  was not there\n')
    expect((await run(['rm', '-rn', 'file:./r', 'dir'])).stdout).toBe(
      'would delete dir/1\nwould delete dir/2\n',
    )
    expect((await run(['rm', 'file:./r', 'dir'])).stdout).toBe('dir  was not there\n')
    const { stdout } = await run(['rm', '-r', '--json', 'file:./r', 'dir'])
    expect(jsonLines(stdout)).toEqual([
      { action: 'rm', key: 'dir/1', status: 'deleted' },
      { action: 'rm', key: 'dir/2', status: 'deleted' },
    ])
    expect(await keysIn('file:./r')).toEqual(['dir2/1'])
    expect((await run(['rm', '-r', 'file:./r', '.'])).code).toBe(0)
    expect(await keysIn('file:./r')).toEqual([])
  })

  it('go on after one of many has failed, and tell', async () => {
    await run(['put', '-', 'file:./m', 'a'], { stdin: 'x' })
    const info = await run(['info', 'file:./m', 'nope', 'a', '../x', '--json'])
    expect(jsonLines(info.stdout).map(line => line.key)).toEqual(['a'])
    expect(jsonLines(info.stderr)).toMatchObject([
      { error: { code: 'not-found', key: 'nope', exitCode: 3 } },
      { error: { code: 'invalid-key', key: '../x', exitCode: 2 } },
    ])
    expect(info.code).toBe(1)
  })
})
