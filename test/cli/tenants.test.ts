import { describe, expect, it } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()
const RECORDS = ['--records', 'sqlite:./tenants.db']

describe('stowage tenants', () => {
  it('creates, lists, upgrades and shows tenants', async () => {
    expect(await run(['tenants', 'create', 'acme', ...RECORDS])).toMatchObject({ code: 0, stderr: '' })
    const created = await run(['tenants', 'create', 'b', '--root', 'elsewhere/', '--json', ...RECORDS])
    expect(jsonLines(created.stdout)).toMatchObject([{ id: 'b', root: 'elsewhere/', state: 'active' }])
    const env = { STOWAGE_RECORDS: 'sqlite:./tenants.db' }
    const { stdout } = await run(['tenants', 'list'], { env })
    expect(stdout).toMatch(/^\S+ \S+ {2}acme {2}"acme\/"\n\S+ \S+ {2}b {2}"elsewhere\/"\n$/)
    expect((await run(['tenants', 'upgrade'], { env })).stdout).toBe('acme  is at 1\nb  is at 1\n')
    expect(jsonLines((await run(['tenants', 'status', '--json'], { env })).stdout)).toMatchObject([
      { id: 'acme', schemaVersion: 1, latestVersion: 1 },
      { id: 'b', schemaVersion: 1, latestVersion: 1 },
    ])
  })

  it('drops one with its files, and only where it was told so', async () => {
    const engine = sqlite({ path: at('tenants.db') })
    const files = withRecords(local({ root: at('data') }), engine, { tenant: 'gone', env: {} })
    await files.upload('a.txt', 'a')
    await files.tenant('stays').upload('a.txt', 'a')
    await files.close()
    const drop = ['tenants', 'drop', 'gone', 'file:./data', ...RECORDS]
    expect(await run(drop)).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') })
    expect(await run([...drop, '--yes'])).toEqual({ code: 0, stdout: 'dropped gone: 1 file\n', stderr: '' })
    expect((await run(['ls', '-r', 'file:./data'])).stdout).toMatch(/^stays\/a\.[0-9a-z]{26}\.txt\n$/)
    expect(await run([...drop, '--yes'])).toMatchObject({
      code: 3,
      stderr: 'stowage tenants drop: there is no tenant gone\n',
    })
  })

  it('says what is wrong, in the words of the command', async () => {
    expect(await run(['tenants', 'create', 'A', ...RECORDS])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^stowage tenants create: a tenant's id is lower-case/),
    })
    expect(await run(['tenants', 'list'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--records sqlite:./records.db'),
    })
    expect(await run(['tenants', 'list', '--records', 'mysql://x'])).toMatchObject({ code: 2 })
    expect(await run(['tenants', 'drop', 'x', ...RECORDS])).toMatchObject({
      code: 2,
      stderr: "stowage tenants drop: missing required argument 'store'; see stowage tenants drop --help\n",
    })
    expect(await run(['tenants', 'nonsense'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown command 'nonsense'"),
    })
    expect((await run(['tenants', '--help'])).stdout).toContain('stowage tenants drop acme s3://bucket')
  })
})
