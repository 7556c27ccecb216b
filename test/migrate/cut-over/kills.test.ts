import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { CUT_OVER_PHASES } from '../../../src/migrate/cut-over/phase.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { eventually } from '../../support/eventually.ts'
import type { WritingTask } from './support/writing-process.ts'

/** Inside node_modules, so that what is not bundled is found and git does not see it. */
const CACHE = join(import.meta.dirname, '../../../node_modules/.cache')

async function bundled(): Promise<string> {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'stowage-cut-over-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const outfile = join(folder, 'writing-process.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'support/writing-process.ts')],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    outfile,
  })
  return outfile
}

const QUICK = { beatMs: 100, leaseMs: 2_000, secondMs: 1_000 }

class Writer {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(path: string, task: WritingTask) {
    this.#child = spawn(process.execPath, [path, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const output = createInterface({ input: this.#child.stdout! })
    output.on('line', line => this.lines.push(line))
    this.#ended = new Promise(resolve => output.on('close', resolve))
  }

  /** When it has stored `count` more files than now. */
  async goesOn(count = 3): Promise<void> {
    const goal = this.#stored() + count
    await eventually(async () => expect(this.#stored()).toBeGreaterThanOrEqual(goal))
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  get pid(): number {
    return this.#child.pid!
  }

  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  wake(): void {
    this.#child.kill('SIGCONT')
  }

  #stored(): number {
    return this.lines.filter(line => line.startsWith('stored ')).length
  }
}

/** Not while it holds the database, or a key of a folder, which nobody else could write to then: a process that is paused is no dead one. */
async function pauseOutsideOf(
  { database, from, to }: Readonly<Record<'database' | 'from' | 'to', string>>,
  writer: Writer,
): Promise<void> {
  const probe = sqlite({ path: database, busyTimeoutMs: 300 })
  for (let attempt = 1; ; attempt++) {
    writer.pause()
    try {
      await probe.batch([['UPDATE stowage_cut_overs SET changes = changes']])
      for (const root of [from, to])
        if (holdsKeys(root, writer.pid)) throw new Error(`it holds a key of ${root}`)
      return await probe.close()
    } catch (error) {
      if (attempt === 100) throw error
      writer.wake()
      await writer.goesOn(1)
    }
  }
}

/** Locks of the local adapter have the name of their holder in them. */
function holdsKeys(root: string, pid: number): boolean {
  const folder = join(root, '.stowage/locks')
  return readdirSync(folder).some(
    name => !name.endsWith('.owner') && readFileSync(join(folder, name), 'latin1').includes(`-${pid}-`),
  )
}

test('processes that are killed in every phase, and one that is paused through two of them, lose nothing and bring nothing back', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-cut-over-kills-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = await bundled()
  const at = { from: join(folder, 'from'), to: join(folder, 'to'), database: join(folder, 'records.db') }
  const writers: Writer[] = []
  const start = (name: string) => {
    const writer = new Writer(path, { name, ...at })
    writers.push(writer)
    onTestFinished(() => writer.kill())
    return writer
  }
  const engine = sqlite({ path: at.database })
  const [from, to] = [local({ root: at.from }), local({ root: at.to })]
  const store = cutOver({ from, to, engine, ...QUICK })
  const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
  const steady = start('steady')
  await steady.goesOn()
  for (let phase = 1; phase <= 6; phase++) {
    const victim = start(`victim ${phase}`)
    await victim.goesOn()
    // Silent for longer than its lease: given up, and it wakes when the others are further on.
    if (phase === 2 || phase === 5) await pauseOutsideOf(at, steady)
    await victim.kill()
    const next = CUT_OVER_PHASES[phase]
    // A delete that was killed is another's when its time has passed.
    await eventually(async () => {
      await store.settle()
      if (phase === 3) await store.backfill()
      if (phase === 4) await store.verify()
      if (phase === 6) await store.verify({ level: 'content' })
      await store.advance().catch(async error => {
        if ((await store.status()).phase !== next) throw error
      })
    })
    expect((await store.status()).phase).toBe(next)
    if (phase === 3 || phase === 6) {
      steady.wake()
      await steady.goesOn()
    }
  }
  await steady.goesOn()
  for (const writer of writers) await writer.kill()
  await files.recover({ waitForLeases: true })
  await store.settle()
  expect((await store.status()).phase).toBe('retired')
  const lines = writers.flatMap(writer => writer.lines)
  expect(lines.filter(line => line.startsWith('failed '))).toEqual([])
  const keysOf = (word: string) =>
    new Set(lines.flatMap(line => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : [])))
  const [stored, deleting, deleted] = [keysOf('stored'), keysOf('deleting'), keysOf('deleted')]
  const after = withRecords(to, engine, { env: {} })
  for (const key of stored) if (!deleting.has(key)) expect(await (await after.download(key)).text()).toBe(key)
  const left: string[] = []
  for (const side of [from, to])
    for await (const entry of side.list())
      if (entry.kind === 'object') left.push(await (await side.download(entry.key)).text())
  expect(left.filter(text => deleted.has(text))).toEqual([])
  expect(deleted.size).toBeGreaterThan(0)
  expect((await after.audit()).findings.filter(({ kind }) => kind !== 'stale-intent')).toEqual([])
  await files.close()
})
