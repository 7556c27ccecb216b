import { expect, test } from 'vitest'
import { mapBounded } from '../../../src/core/batches.ts'
import { StorageError } from '../../../src/core/errors.ts'
import { PROCESS_OWNER } from '../../../src/core/process-owner.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { resumableMemory } from '../../support/resumable-memory.ts'
import { textsOf, twoSides } from './two-sides.ts'

/**
 * `before`: killed before the call has an effect. `after`: killed behind its effect. `lost`: it has its effect, its answer is lost,
 * and the process lives on.
 */
const ENDS = ['before', 'after', 'lost'] as const
type End = (typeof ENDS)[number]

class Killed extends Error {}

/** Counts a process's calls to stores and database, and ends one of them in its way. From a kill on none has an effect. */
class Process {
  calls = 0
  #isDead = false
  readonly #at: number
  readonly #end: End

  constructor(at: number, end: End) {
    this.#at = at
    this.#end = end
  }

  async call<T>(work: () => Promise<T>, lost: () => StorageError): Promise<T> {
    if (this.#isDead) throw new Killed()
    const isIt = this.calls++ === this.#at
    if (isIt && this.#end === 'before') this.#die()
    const result = await work()
    // Another call may have been the last one meanwhile.
    if (this.#isDead) throw new Killed()
    if (!isIt) return result
    if (this.#end === 'lost') throw lost()
    return this.#die()
  }

  store(inner: StorageProvider): StorageProvider {
    const lost = () => new StorageError('timeout', 'the answer was lost')
    return forward(inner, {
      download: (key, options) => this.call(() => inner.download(key, options), lost),
      info: (key, options) => this.call(() => inner.info(key, options), lost),
      upload: (key, body, options) => this.call(() => inner.upload(key, body, options), lost),
      uploadResumable: (key, source, options) =>
        this.call(() => {
          const told =
            <T>(tell?: (value: T) => unknown) =>
            async (value: T) => {
              if (this.#isDead) throw new Killed()
              await tell?.(value)
            }
          const { onToken, onPart } = options ?? {}
          return inner.uploadResumable(key, source, {
            ...options,
            onToken: told(onToken),
            onPart: told(onPart),
          })
        }, lost),
    })
  }

  engine(inner: Engine): Engine {
    const lost = () => new StorageError('pending', 'the answer was lost')
    return forwardEngine(inner, {
      batch: (statements, options) => this.call(() => inner.batch(statements, options), lost),
      query: (statement, options) => this.call(() => inner.query(statement, options), lost),
    })
  }

  #die(): never {
    this.#isDead = true
    throw new Killed()
  }
}

const OBJECTS = { a: 'one', b: 'two', large: 'large '.repeat(2_000), same: 'the same', theirs: 'ours' }
const LIMITS = { concurrency: 4, largeObjectBytes: 10_000, partBytes: 4096 }
const OPTIONS = { limits: LIMITS, random: () => 0, sleep: async () => {} }

async function sidesBefore() {
  const sides = await twoSides(OBJECTS, { to: resumableMemory({ partBytes: 4096 }) })
  await sides.to.upload('same', 'the same')
  await sides.to.upload('theirs', 'not ours')
  return sides
}

/** The claim that was left is a dead process's, as after a kill: this one goes on, and would be waited for. */
async function endOwner(manifest: Engine): Promise<void> {
  const [table] = await manifest.query([
    `SELECT name FROM sqlite_master WHERE name = 'stowage_migration_claims'`,
  ])
  if (table === undefined) return
  const dead = PROCESS_OWNER.replace(/^([^-]+)-[^-]+/, '$1-00000000')
  await manifest.batch([
    ['UPDATE stowage_migration_claims SET holder = replace(holder, ?, ?)', PROCESS_OWNER, dead],
  ])
}

/** What is not as it must be when a migration that was hit at one call has been started again. */
async function problemsAt(at: number, end: End, changes: boolean): Promise<string[]> {
  const { from, to, manifest } = await sidesBefore()
  const killed = new Process(at, end)
  const first = migrate({
    from: killed.store(from),
    to: killed.store(to),
    manifest: killed.engine(manifest),
    ...OPTIONS,
  })
  let ended: unknown
  try {
    for await (const _ of first);
  } catch (error) {
    ended = error
  }
  if (end !== 'lost') await endOwner(manifest)
  if (changes) for (const key of ['a', 'b', 'large']) await from.upload(key, `${OBJECTS[key as 'a']} changed`)
  const uploads: string[] = []
  const watched = forward(to, {
    upload(key, body, options) {
      uploads.push(key)
      return to.upload(key, body, options)
    },
  })
  for await (const _ of migrate({ from, to: watched, manifest, ...OPTIONS }));
  const problems: string[] = []
  const expected = { ...(await textsOf(from)), theirs: 'not ours' }
  const arrived = await textsOf(to)
  if (JSON.stringify(arrived) !== JSON.stringify(expected))
    problems.push(`the destination holds ${JSON.stringify(arrived).slice(0, 300)}`)
  const again = migrate({ from, to: watched, manifest, ...OPTIONS })
  const { byState } = await again.status()
  if (byState.copied.objects !== 4 || byState.refused.objects !== 1)
    problems.push(`the rows say ${JSON.stringify(byState)}`)
  const before = uploads.length
  for await (const _ of again);
  const summary = await again.verify({ level: 'content' })
  if (uploads.length > before) problems.push(`sent again: ${uploads.slice(before)}`)
  if (summary.statuses.match !== 4) problems.push(`verified: ${JSON.stringify(summary.statuses)}`)
  return problems.map(
    problem => `call ${at}, ${end}${changes ? ', changed' : ''} (${String(ended)}): ${problem}`,
  )
}

test('a migration that is killed at any call, or hears nothing of its effect, ends complete when it is started again', {
  timeout: 300_000,
}, async () => {
  const { from, to, manifest } = await sidesBefore()
  const whole = new Process(Number.POSITIVE_INFINITY, 'before')
  for await (const _ of migrate({
    from: whole.store(from),
    to: whole.store(to),
    manifest: whole.engine(manifest),
    ...OPTIONS,
  }));
  const points = Array.from({ length: whole.calls }, (_, at) =>
    ENDS.flatMap(end => [false, true].map(changes => [at, end, changes] as const)),
  ).flat()
  expect(whole.calls).toBeGreaterThan(30)
  const problems = await mapBounded(points, 8, point => problemsAt(...point))
  console.log(`crash points of a migration: ${whole.calls} calls, ${points.length} points`)
  expect(problems.flat()).toEqual([])
})
