/** A process that migrates is killed, and its stores fall under it, until somebody says that it is enough. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { MigrationResult } from '../../../src/migrate/migration-event.ts'
import type { MoverTask } from './mover.ts'
import type { MovingStore } from './stores.ts'

/** What happens to one process, each after so many more copies. */
export type Blow = { readonly copies: number } & ({ readonly kills: true } | { readonly fells: MovingStore })

export interface Life {
  /** Keys as they were put and as they were told to be copied, in their order. */
  readonly steps: readonly { readonly did: 'put' | 'copied'; readonly key: string }[]
  readonly struck: number
  readonly wasKilled: boolean
  readonly result: MigrationResult | undefined
  /** Code and message, where a store that was away ended it. */
  readonly ended: string | undefined
}

/** A process that has not missed a fallen store for so long gets it back all the same. */
const UNNEEDED_MS = 5_000

export interface LifeOptions {
  readonly blows?: readonly Blow[]
  /** Ends it by SIGTERM. */
  readonly ending?: AbortSignal
}

export async function live(
  mover: string,
  task: MoverTask,
  env: Readonly<Record<string, string>>,
  { blows = [], ending }: LifeOptions = {},
): Promise<Life> {
  const child = spawn(process.execPath, [mover, JSON.stringify(task)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  ending?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const closed = new Promise<NodeJS.Signals | number | null>(resolve =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  )
  const steps: { did: 'put' | 'copied'; key: string }[] = []
  let [result, ended]: [MigrationResult | undefined, string | undefined] = [undefined, undefined]
  let fallen: MovingStore | undefined
  let unneeded: NodeJS.Timeout | undefined
  let rising: Promise<void> | undefined
  const rise = async () => {
    clearTimeout(unneeded)
    const store = fallen
    fallen = undefined
    await store?.rise()
  }
  let struck = 0
  let copies = 0
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [word] = line.split(' ', 1)
      const rest = line.slice(word!.length + 1)
      if (word === 'put' || word === 'copied') steps.push({ did: word, key: decodeURIComponent(rest) })
      if (word === 'done') result = JSON.parse(rest)
      if (word === 'ended') ended = rest
      if (word === 'retry' || word === 'failed' || word === 'ended') await rise()
      if (word === 'copied') copies++
      const blow = blows[struck]
      if (blow === undefined || copies < blow.copies || fallen !== undefined) continue
      copies = 0
      struck++
      if ('kills' in blow) child.kill('SIGKILL')
      else {
        await blow.fells.fall()
        fallen = blow.fells
        // It may have nothing to do any more for which it needs the store.
        unneeded = setTimeout(() => {
          rising = rise()
          // Told by who waits for it, below.
          rising.catch(() => {})
        }, UNNEEDED_MS)
      }
    }
  } finally {
    child.kill('SIGKILL')
    await rising
    await rise()
  }
  const end = await closed
  if (end !== 'SIGKILL' && end !== 0) throw new Error(`the mover ended by itself with ${end}: ${stderr}`)
  return { steps, struck, wasKilled: end === 'SIGKILL' && result === undefined, result, ended }
}
