import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { finished, jsonLines, theProgram } from './program-process.ts'

const { run, start, at } = theProgram()

async function upload(database: string, ...keys: string[]) {
  const files = withRecords(local({ root: at('data') }), sqlite({ path: at(database) }), {
    tenant: 'acme',
    env: {},
  })
  for (const key of keys) await files.upload(key, key)
  await files.close()
}

describe('stowage records', () => {
  it('backs up, lists and restores, and says which epoch it is now', async () => {
    await upload('r.db', 'a.txt', 'b.txt')
    const env = { STOWAGE_RECORDS: 'sqlite:./r.db' }
    const backup = await run(['records', 'backup', 'file:./backups', '--keep', '2'], { env })
    expect(backup).toMatchObject({ code: 0, stderr: '' })
    expect(backup.stdout).toMatch(/^\S+ \S+ {2}\d{8}T\d{6}Z-e1-\S+ {2}[\d.]+ kB {2}1 tenant, 2 files\n$/)
    const [listed] = jsonLines((await run(['records', 'list', 'file:./backups', '--json'])).stdout)
    expect(listed).toMatchObject({ engine: 'sqlite', tenants: [{ id: 'acme', files: 2, epoch: 1 }] })

    const restore = ['records', 'restore', 'file:./backups', 'file:./data']
    expect(await run(restore, { env })).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('--replace'),
    })
    expect((await run([...restore, '--if-empty'], { env })).stdout).toContain('nothing was restored')
    const fresh = await run([...restore, '--if-empty', '--records', 'sqlite:./fresh.db', '--json'])
    expect(jsonLines(fresh.stdout)).toMatchObject([
      { restored: true, backup: listed!.name, epochs: { acme: 2 } },
    ])
    // Over what only ended processes had open: libsql lets a file go when its statements are collected as garbage.
    const again = await run([...restore, '--replace', '--records', 'sqlite:./fresh.db'])
    expect(again.stdout).toContain('restored')
    const raised = await run(['records', 'raise-epoch', 'file:./data'], { env })
    expect(raised.stdout).toBe('acme  epoch 4\n')
    expect((await run(['audit', 'file:./data', '--tenant', 'acme', '-q'], { env })).code).toBe(0)
  }, 60_000)

  it('watches: a backup at its start, and one more of what changed when it is told to end', async () => {
    await upload('w.db', 'a.txt')
    const child = start(['records', 'backup', 'file:./watched', '--watch', '--every', '1h', '--json'], {
      STOWAGE_RECORDS: 'sqlite:./w.db',
    })
    const ended = finished(child)
    await once(child.stdout, 'data')
    await upload('w.db', 'b.txt', 'c.txt')
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    expect([code, stderr]).toEqual([0, ''])
    expect(jsonLines(stdout)).toMatchObject([{ tenants: [{ files: 1 }] }, { tenants: [{ files: 3 }] }])
    expect(jsonLines((await run(['records', 'list', 'file:./watched', '--json'])).stdout)).toHaveLength(2)
  }, 60_000)

  it('moves a tenant, and what is left behind can not be opened', async () => {
    await upload('m.db', 'moved.txt')
    const move = [
      'tenants',
      'move',
      'acme',
      'file:./data',
      '--from',
      'sqlite:./m.db',
      '--to',
      'sqlite:./to.db',
    ]
    const { code, stderr } = await run(move)
    expect([code, stderr]).toMatchObject([5, expect.stringContaining('another database')])
    const [store, ...rest] = ['file:./m-data', ...move.slice(4)]
    const files = withRecords(local({ root: at('m-data') }), sqlite({ path: at('m2.db') }), {
      tenant: 'b',
      env: {},
    })
    await files.upload('x.txt', 'x')
    await files.close()
    const own = ['tenants', 'move', 'b', store!, ...rest.map(word => word.replace('./m.db', './m2.db'))]
    expect((await run([...own, '-q'])).code).toBe(0)
    expect((await run(['tenants', 'list', '--records', 'sqlite:./m2.db'])).stdout).toMatch(
      / b {2}"b\/" {2}moved\n$/,
    )
    expect((await run(['tenants', 'list', '--records', 'sqlite:./to.db', '--json'])).stdout).toContain(
      'active',
    )
    expect((await run([...own, '--remove-source', '-q'])).code).toBe(0)
    expect((await run(['tenants', 'list', '--records', 'sqlite:./m2.db'])).stdout).toBe('')
  }, 60_000)

  it('says that PostgreSQL has pg_dump', async () => {
    const { code, stderr } = await run([
      'records',
      'backup',
      'file:./b',
      '--records',
      'postgres://u@127.0.0.1:1/d',
    ])
    expect([code, stderr]).toMatchObject([1, expect.stringContaining('pg_dump')])
  })
})
