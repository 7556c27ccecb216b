import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at, start } = theProgram()
const ID = '01j8z6q4n3m2k1h0g9f8e7d6c5'
const DAY = 86_400_000

/** Files of a folder and a database of their own, as the program sees them. */
async function someFiles(name: string, now = Date.now) {
  const where = [`file:./${name}`, '--records', `sqlite:./${name}.db`]
  const store = local({ root: at(name) })
  const files = withRecords(store, sqlite({ path: at(`${name}.db`) }), { now })
  await files.upload('a.txt', 'a')
  await files.upload('b.txt', 'b')
  return { files, store, where }
}

describe('stowage audit', () => {
  it('ends with 0 where nothing is wrong', async () => {
    const { where } = await someFiles('clean')
    const { code, stdout, stderr } = await run(['audit', ...where])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('audited default (default/): 3 objects')
    expect(stdout).toContain('nothing is wrong')
  })

  it('ends with 6 where something is, and says what, as text, as JSON and as a page', async () => {
    const { files, store, where } = await someFiles('dirty')
    await store.upload(`default/<b>lost.${ID}.txt`, 'lost')
    await store.delete(await files.physicalKey('a.txt'))
    const text = await run(['audit', ...where, '--html', 'report.html'])
    expect(text.code).toBe(6)
    expect(text.stdout).toContain('Files without bytes: 1')
    expect(text.stdout).toContain(`  - default/<b>lost.${ID}.txt  4 B`)
    expect(text.stdout).toContain('2 findings')
    const page = await readFile(at('report.html'), 'utf8')
    expect(page).toContain(`default/&#60;b&#62;lost.${ID}.txt`)
    expect(page).not.toContain('<b>lost')
    const json = await run(['audit', ...where, '--json'])
    expect(json.code).toBe(6)
    expect(jsonLines(json.stdout)).toMatchObject([
      { finding: { kind: 'orphan', size: 4 } },
      { finding: { kind: 'bytes-missing', key: 'a.txt' } },
      {
        action: 'audit',
        clean: false,
        records: 2,
        counts: { orphan: 1, 'bytes-missing': 1, 'size-differs': 0 },
      },
    ])
    const short = await run(['audit', ...where, '--limit', '0'])
    expect(short.stdout).toContain('… 1 more')
    expect(short.stdout).not.toContain('lost.')
  })

  it('runs again and again until it is ended', async () => {
    const { where } = await someFiles('again')
    const child = start(['audit', ...where, '--every', '1s', '--json'])
    let told = ''
    child.stdout.on('data', chunk => {
      told += chunk
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    await expect.poll(() => told.split('\n').length, { timeout: 15_000 }).toBeGreaterThan(2)
    child.kill('SIGINT')
    expect(await ended).toBe(130)
  })

  it('wants a database, and no password in its URL', async () => {
    await someFiles('asked')
    expect(await run(['audit', 'file:./asked'])).toMatchObject({
      code: 2,
      stderr: 'stowage audit: name the database with the records: --records sqlite:./records.db\n',
    })
    expect(
      (await run(['audit', 'file:./asked'], { env: { STOWAGE_RECORDS: 'sqlite:./asked.db' } })).code,
    ).toBe(0)
    const secret = await run(['audit', 'file:./asked', '--records', 'postgres://app:hunter2@db/app'])
    expect(secret.code).toBe(2)
    expect(secret.stderr).toContain('PGPASSWORD')
    expect(secret.stderr).not.toContain('hunter2')
  })

  it('refuses a root that belongs to another database', async () => {
    const { where, store } = await someFiles('shared')
    await run(['audit', ...where])
    await store.close()
    await run(['tenants', 'create', 'default', '--records', 'sqlite:./another.db'])
    const { code, stderr } = await run(['audit', 'file:./shared', '--records', 'sqlite:./another.db'])
    expect([code, stderr]).toEqual([5, expect.stringContaining('belongs to another database')])
  })
})

describe('stowage gc', () => {
  it('says what would go, removes it with --apply, and ends with 7 where it is too much', async () => {
    const { files, store, where } = await someFiles('gc', () => Date.now())
    const orphan = `default/lost.${ID}.txt`
    await store.upload(orphan, 'lost')
    expect((await run(['gc', ...where])).stdout).toContain('a later run will look at')
    await new Promise(resolve => setTimeout(resolve, 1100))
    const dry = await run(['gc', ...where, '--grace', '1s', '--max-share', '100%'])
    expect(dry).toMatchObject({ code: 0 })
    expect(dry.stdout).toContain(`1 orphan, 4 B:\n  ${orphan}`)
    expect(dry.stdout).toContain('dry run')
    const much = await run(['gc', ...where, '--grace', '1s', '--apply'])
    expect([much.code, much.stdout]).toEqual([7, expect.stringContaining('more than maxShare, 1 %')])
    expect(await store.exists(orphan)).toBe(true)
    const done = await run([
      'gc',
      ...where,
      '--grace',
      '1s',
      '--max-share',
      '1',
      '--apply',
      '--json',
      '--keep-for-backups',
      '7d',
    ])
    expect(done.code).toBe(0)
    expect(jsonLines(done.stdout).at(-1)).toMatchObject({ action: 'gc', applied: true, removed: 1 })
    expect(await store.exists(orphan)).toBe(false)
    expect(await files.exists('a.txt')).toBe(true)
    const [kept] = await sqlite({ path: at('gc.db') }).query([
      "SELECT due_at FROM t_default__journal WHERE kind = 'quarantine'",
    ])
    expect(Number(kept!.due_at)).toBeGreaterThan(Date.now() + 6 * 86_400_000)
  })
})

describe('stowage doctor', () => {
  it('shows what is owed, retries what is stuck, and ends with 6 while something is', async () => {
    const { files, where } = await someFiles('doctor')
    expect(await run(['doctor', ...where])).toMatchObject({ code: 0, stderr: 'nothing is owed\n' })
    await files.upload('a.txt', 'again')
    const [job] = await files.jobs()
    const shown = await run(['doctor', ...where])
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/^id +kind +status +attempts +due +key/)
    expect(shown.stdout).toContain(`${job!.id}  replaced  waiting`)
    const engine = sqlite({ path: at('doctor.db') })
    await engine.batch([
      ["UPDATE t_default__journal SET stuck = 1, error = 'denied: \u001b[2Jno' WHERE id = ?", job!.id],
    ])
    const stuck = await run(['doctor', ...where, '--stuck', '--json'])
    expect([stuck.code, jsonLines(stuck.stdout)]).toMatchObject([6, [{ id: job!.id, status: 'stuck' }]])
    expect((await run(['doctor', ...where])).stdout).toContain('denied: \\u001b[2Jno')
    const mended = await run(['doctor', ...where, '--retry', job!.id, '--run'])
    expect([mended.code, mended.stdout]).toEqual([0, `${job!.id}  is due now\nworked on 1 job\n`])
    expect(await run(['doctor', ...where, '--retry', 'nobody'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('there is no job nobody'),
    })
  })

  it('cancels what can be given up, and nothing else', async () => {
    const { files, where } = await someFiles('cancel', () => Date.now() + DAY)
    await files.upload('a.txt', 'again')
    const [job] = await files.jobs()
    expect((await run(['doctor', ...where, '--cancel', job!.id])).stdout).toContain('given up')
    expect(await files.jobs()).toEqual([])
  })
})
