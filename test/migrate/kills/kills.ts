/** Kills a migration again and again, lets it end, and looks whether anything is missing, wrong or was done twice. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import type { MigrationLimits } from '../../../src/migrate/migrate-options.ts'
import type { MigrationResult } from '../../../src/migrate/migration-event.ts'
import { bundledWorker } from '../../support/bundled-worker.ts'

export interface WorkerTask {
  /** URLs, as `open` and `openEngine` take them. */
  readonly from: string
  readonly to: string
  readonly manifest: string
  readonly limits: MigrationLimits
}

export interface KillsSetting extends WorkerTask {
  readonly env?: Readonly<Record<string, string>>
  readonly seed: number
  readonly kills: number
  /** Copies, at most, that a life makes before it ends. */
  readonly mostCopies: number
}

export interface KillsReport {
  /** Lives that copied something and did not come to the end. */
  readonly interrupted: number
  readonly puts: number
  /** Objects that were put more than once: they were under way when a process was killed. */
  readonly putAgain: number
  /** Objects that were put after they had been told to be copied. */
  readonly putAfterCopied: readonly string[]
  readonly copied: number
  readonly result: MigrationResult
}

export async function runKills(setting: KillsSetting): Promise<KillsReport> {
  const random = seededRandom(setting.seed)
  const worker = await bundledWorker(join(import.meta.dirname, 'worker.ts'))
  const puts = new Map<string, number>()
  const copied = new Set<string>()
  const putAfterCopied: string[] = []
  let interrupted = 0
  try {
    for (let life = 0; ; life++) {
      const isLast = life === setting.kills
      // Every fifth dies by the clock, wherever that is; the others when they have said so many copies.
      const byClock = random() < 0.2
      const end = random()
      const lines = await live(worker.path, setting, {
        copies: isLast || byClock ? Number.POSITIVE_INFINITY : Math.floor(end * setting.mostCopies),
        ms: !isLast && byClock ? end * 200 : Number.POSITIVE_INFINITY,
      })
      let hasCopied = false
      for (const line of lines) {
        const [word, key = ''] = line.split(' ')
        if (word === 'failed') throw new Error(line)
        if (word === 'put' && copied.has(key)) putAfterCopied.push(key)
        if (word === 'put') puts.set(key, (puts.get(key) ?? 0) + 1)
        if (word === 'copied') copied.add(key)
        if (word === 'copied') hasCopied = true
      }
      const done = lines.find(line => line.startsWith('done '))
      if (hasCopied && done === undefined) interrupted++
      if (!isLast) continue
      if (done === undefined) throw new Error(`the last life came to no end: ${lines.at(-1)}`)
      const counts = [...puts.values()]
      return {
        interrupted,
        puts: counts.reduce((sum, count) => sum + count, 0),
        putAgain: counts.filter(count => count > 1).length,
        putAfterCopied,
        copied: copied.size,
        result: JSON.parse(done.slice(5)),
      }
    }
  } finally {
    worker.remove()
  }
}

/** One process, from its start to its end: what it said. */
async function live(
  path: string,
  { env, ...task }: KillsSetting,
  until: { readonly copies: number; readonly ms: number },
): Promise<string[]> {
  const child = spawn(process.execPath, [path, JSON.stringify(task)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const ended = new Promise<NodeJS.Signals | number | null>(resolve =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  )
  const lines: string[] = []
  let copies = 0
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line)
      if (line === 'begun' && Number.isFinite(until.ms)) void wait(until.ms).then(() => child.kill('SIGKILL'))
      if (line.startsWith('copied ') && ++copies > until.copies) child.kill('SIGKILL')
    }
  } finally {
    child.kill('SIGKILL')
  }
  const end = await ended
  if (end !== 'SIGKILL' && end !== 0) throw new Error(`the process ended by itself with ${end}: ${stderr}`)
  return lines
}
