import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { theProgram } from './program-process.ts'

const { run, at } = theProgram()

async function folder(name: string, ...keys: string[]): Promise<void> {
  await mkdir(at(name), { recursive: true })
  for (const key of keys) await writeFile(at(name, key), `text of ${key}`)
}

const manifest = (name: string) => ['--manifest', `sqlite:${at(`${name}.db`)}`]

test.each([[['plan']], [['run']], [['run', '--dry-run']]])(
  '%j of a folder that is not there ends with 3 and makes no database',
  async command => {
    const { code, stdout, stderr } = await run(['migrate', ...command, 'file:./nodata', 'file:./house'])
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain(`the source is not there: there is no folder ${at('nodata')}\n`)
    await expect(readdir(at(''))).resolves.not.toContain('stowage-migration.db')
  },
)

test.each([[['plan']], [['run']], [['run', '--dry-run']]])(
  '%j of a source that holds nothing says so and ends with 6',
  async command => {
    await folder('empty')
    const { code, stderr } = await run([
      'migrate',
      ...command,
      ...['file:./empty', 'file:./house', '--name', command.join('')],
    ])
    expect([code, stderr]).toEqual([6, 'the source holds no objects; is file:./empty where they are?\n'])
  },
)

test('of a prefix that no key has it says that, and filters that leave all out are no mistake', async () => {
  await folder('filled', 'a')
  const stores = ['file:./filled', 'file:./filled-new', ...manifest('filled')]
  expect(await run(['migrate', 'run', ...stores, '--prefix', 'photos/'])).toMatchObject({
    code: 6,
    stderr: 'the source holds no objects that begin with photos/; is file:./filled where they are?\n',
  })
  expect((await run(['migrate', 'run', ...stores, '--exclude', 'a'])).code).toBe(0)
})

test('plan of a source that was emptied says so and ends with 6, as run does', async () => {
  await folder('emptied', 'a')
  const stores = ['file:./emptied', 'file:./emptied-new', ...manifest('emptied')]
  expect((await run(['migrate', 'run', ...stores])).code).toBe(0)
  await run(['rm', 'file:./emptied', 'a'])
  const said = { code: 6, stderr: expect.stringContaining('the source has none of its objects any more') }
  expect(await run(['migrate', 'plan', ...stores])).toMatchObject(said)
  expect(await run(['migrate', 'run', ...stores])).toMatchObject(said)
})

test('from another working folder verify, run and worker refuse, and say which folders they mean', async () => {
  await folder('here/d', 'a')
  await folder('there/d', 'b')
  const known = manifest('moved')
  const first = ['migrate', 'run', 'file:./d', `file:${at('new')}`, ...known]
  expect((await run(first, { cwd: at('here') })).code).toBe(0)
  for (const command of [['verify'], ['run'], ['worker', '--redis', 'redis://127.0.0.1:1', '--until-done']])
    for (const cwd of [at('there'), at('')])
      expect(await run(['migrate', ...command, ...known], { cwd })).toMatchObject({
        code: 5,
        stdout: '',
        stderr: `stowage migrate ${command[0]}: 'default' has begun with another source: file://${at('here/d')}/, and now it is file://${at(cwd === at('') ? 'd' : 'there/d')}/ (a relative file: URL is taken from the folder in which the command runs); go on with the same, or begin another migration under a new name\n`,
      })
  expect((await run(['migrate', 'verify', ...known], { cwd: at('here') })).code).toBe(0)
})

test.each([
  ['a URL of no store', ['ftp://old', 'file:./new']],
  ['a destination of no store', ['file:./source', 'ftp://new']],
  ['a key rule', ['file:./source', 'file:./new', '--key-rule', 'regex:(=x']],
  ['a filter', ['file:./source', 'file:./new', '--include', 'regex:(']],
  ['a missing secret', ['file:./source', 'supabase://files?url=http://127.0.0.1:1']],
  ['a missing Redis', ['file:./source', 'file:./new', '--workers']],
  ['a name', ['file:./source', 'file:./new', '--name', 'no name']],
  ['one place twice', ['file:./source', 'file:./source']],
])('what is refused for %s leaves no database', async (_, args) => {
  await folder('source', 'a')
  const refused = await run(['migrate', 'run', ...args, ...manifest('refused')])
  expect([refused.code, refused.stderr.trimEnd().split('\n').length]).toEqual([2, 1])
  expect((await readdir(at(''))).filter(name => name.startsWith('refused'))).toEqual([])
})

test('an object that another hand has replaced is refused with what replaces it', async () => {
  await folder('ours', 'a')
  const known = manifest('replaced')
  await run(['migrate', 'run', 'file:./ours', 'file:./ours-new', ...known])
  await writeFile(at('ours-new', 'a'), 'of another hand')
  expect((await run(['migrate', 'verify', ...known])).code).toBe(6)
  const refused = await run(['migrate', 'run', '--repair', ...known])
  expect(refused.code).toBe(6)
  expect(refused.stderr).toContain("it stays (existing: 'overwrite' replaces it)")
  expect((await run(['migrate', 'run', '--repair', '--existing', 'overwrite', ...known])).code).toBe(0)
})

test('a bandwidth of 0 is refused by its name, and help knows every key rule', async () => {
  await folder('slow', 'a')
  const { code, stderr } = await run(['migrate', 'run', 'file:./slow', 'file:./new', '--bandwidth', '0'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('--bandwidth')])
  for (const command of ['plan', 'run', 'verify'])
    expect((await run(['migrate', command, '--help'])).stdout.replace(/\s+/g, ' ')).toContain('drop:tmp/')
})
