import { describe, expect, it } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()

describe('stowage ls of files with records', () => {
  it('lists them by their names, and with --physical also by the keys of their bytes', async () => {
    const files = withRecords(local({ root: at('data') }), sqlite({ path: at('records.db') }), {
      tenant: 'acme',
      env: {},
    })
    await files.upload('a/photo.jpg', 'bytes')
    await files.upload('b.txt', 'b')
    const physical = await files.physicalKey('a/photo.jpg')
    expect(physical).toMatch(/^acme\/a\/photo\.[0-9a-z]{26}\.jpg$/)
    await files.close()
    const env = { STOWAGE_RECORDS: 'sqlite:./records.db', STOWAGE_TENANT_ID: 'acme' }

    const names = ['ls', '-r', 'file:./data', '--records', 'sqlite:./records.db', '--tenant', 'acme']
    expect(await run(names)).toEqual({ code: 0, stdout: 'a/photo.jpg\nb.txt\n', stderr: '' })
    expect((await run(['ls', '--physical', 'file:./data', 'a'], { env })).stdout).toBe(
      `a/photo.jpg  ${physical}\n`,
    )
    expect((await run(['ls', '-l', '--physical', 'file:./data', 'b.txt'], { env })).stdout).toMatch(
      / b\.txt {2}acme\/b\.[0-9a-z]{26}\.txt\n$/,
    )
    const json = await run(['ls', '-r', '--json', '--physical', 'file:./data'], { env })
    expect(jsonLines(json.stdout)).toMatchObject([{ key: 'a/photo.jpg', physical }, { key: 'b.txt' }])
  })

  it('lists what the store has where no records are asked for, whatever the environment says', async () => {
    const env = { STOWAGE_RECORDS: 'sqlite:./records.db', STOWAGE_TENANT_ID: 'acme' }
    expect((await run(['ls', '-r', 'file:./data', 'acme/a'], { env })).stdout).toMatch(
      /^acme\/a\/photo\.\w{26}\./,
    )
  })

  it('says that --physical needs the records', async () => {
    expect(await run(['ls', '--physical', 'file:./data'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--records sqlite:./records.db'),
    })
  })
})
