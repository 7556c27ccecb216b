import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { libsql } from './drivers.ts'
import { theFolder } from './the-folder.ts'

const folder = theFolder()
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

function start(job: 'count' | 'until-killed', path: string, name: string, count = 0) {
  const worker = join(import.meta.dirname, 'worker.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', worker, job, path, name, String(count)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  let onLine = () => {}
  child.stdout.on('data', chunk => {
    stdout += chunk
    onLine()
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const lines = () => stdout.split('\n').slice(0, -1)
  return {
    child,
    lines,
    /** When so many lines have come. */
    said: (count: number) =>
      new Promise<void>(resolve => {
        onLine = () => lines().length >= count && resolve()
        onLine()
      }),
    ended: new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', code => {
        running.delete(child)
        resolve({ code, stderr })
      })
    }),
  }
}

test('lets four processes that start at once on a new file write it together, each batch once', async () => {
  const path = folder.path()
  const ends = await Promise.all(['a', 'b', 'c', 'd'].map(name => start('count', path, name, 50).ended))
  for (const { code, stderr } of ends) expect(code, stderr).toBe(0)
  const { engine, close } = libsql.open(path)
  expect(await engine.query(['SELECT v FROM t'])).toEqual([{ v: 200n }])
  expect(await engine.query(['SELECT COUNT(*) AS n FROM stowage_operations WHERE state = 2'])).toEqual([
    { n: 200n },
  ])
  await close()
})

test('warns of nothing', async () => {
  const { code, stderr } = await start('count', folder.path(), 'quiet', 1).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('keeps what it answered, and no half of a batch, when its process is killed', async () => {
  const path = folder.path()
  for (const name of ['a', 'b', 'c']) {
    const worker = start('until-killed', path, name)
    await worker.said(20)
    worker.child.kill('SIGKILL')
    await worker.ended
    const answered = worker.lines().map(Number)
    const { engine, close } = libsql.open(path)
    const rows = await engine.query([
      'SELECT v, COUNT(*) AS n FROM t WHERE k LIKE ? GROUP BY v ORDER BY v',
      `${name}-%`,
    ])
    const there = rows.map(row => Number(row.v))
    expect(there.slice(0, answered.length)).toEqual(answered)
    // One may have happened whose answer was not heard.
    expect(there.length - answered.length).toBeLessThanOrEqual(1)
    expect(new Set(rows.map(row => row.n))).toEqual(new Set([2n]))
    await close()
  }
})
