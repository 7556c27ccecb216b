import type { StorageProvider } from '../../core/provider.ts'
import { forward } from '../../decorators/forward.ts'
import type { RecordedFiles } from '../../records/recorded-files.ts'
import type { Engine } from '../../sql/engine.ts'
import { equal, ok, oneOf } from '../assertions.ts'
import { forwardEngine } from './forward-engine.ts'
import type { RecordsCase } from './records-conformance-context.ts'
import { contents, type Place, type RecordsScope } from './records-scope.ts'

type Act = (files: RecordedFiles) => Promise<unknown>

/** What a process was doing when it ended. */
const ACTS: readonly (readonly [id: string, what: string, Act])[] = [
  ['upload', 'an upload', files => files.upload('new.txt', 'new')],
  ['replace', 'a replace', files => files.upload('old.txt', 'new')],
  ['delete', 'a delete', files => files.delete('old.txt')],
  ['delete-many', 'a delete of many', files => files.deleteMany(['old.txt', 'other.txt', 'missing.txt'])],
  ['copy', 'a copy', files => files.copy('old.txt', 'new.txt')],
  ['move', 'a move', files => files.move('old.txt', 'new.txt')],
]

/** Fewer calls to store and database than these, and the crashes were not where the effects are. */
const FEWEST_CRASHES = 7

/**
 * A process ends at each of its calls to store and database in turn, once before the call's effect and once after it;
 * then another one recovers. `migrate`, which the list of behaviours names beside these acts, does not exist yet.
 */
export const CRASH_CASES: readonly RecordsCase[] = ACTS.map(([name, what, act]) => ({
  id: `records/crash-${name}`,
  title: `a crash at any step of ${what} leaves both or neither`,
  covers: [106],
  async run(scope) {
    const calm = await furnished(scope)
    const before = await contents(calm.files)
    await act(calm.files)
    const done = await contents(calm.files)
    let crashes = 0
    for (const moment of ['before', 'after'] as const)
      for (let at = 0; ; at++) {
        const { place } = await furnished(scope)
        const crash = crashAt(at, moment)
        const doomed = place.process(
          {},
          { store: crash.store(place.store), engine: crash.engine(scope.engine) },
        )
        const ended = act(doomed).then(() => 'ended' as const)
        if ((await Promise.race([ended, crash.crashed])) === 'ended') break
        crashes++
        const when = `after a crash ${moment} call ${at + 1}`
        // Nobody is believed to be alive: every lease is over.
        const saviour = place.process({ leaseMs: 0 })
        for (let round = 0; round < 3; round++) await saviour.recover()
        oneOf(await contents(saviour), [before, done], `what is there ${when}`)
        equal(await saviour.jobs(), [], `what is owed ${when}`)
        equal(await place.strays(saviour), [], `what no file has ${when}`)
      }
    ok(crashes >= FEWEST_CRASHES, `only ${crashes} calls to store and database were seen`)
  },
}))

async function furnished(scope: RecordsScope): Promise<{ place: Place; files: RecordedFiles }> {
  const place = await scope.place()
  const files = place.process()
  await files.upload('old.txt', 'old')
  await files.upload('other.txt', 'other')
  return { place, files }
}

/** A process that ends at its `at`th call to store or database, before or after the call's effect. */
function crashAt(at: number, moment: 'before' | 'after') {
  let calls = 0
  let isDead = false
  let die: (outcome: 'crashed') => void = () => {}
  const crashed = new Promise<'crashed'>(resolve => {
    die = resolve
  })
  const never = new Promise<never>(() => {})
  const end = () => {
    isDead = true
    die('crashed')
    return never
  }
  const guarded =
    <Arguments extends unknown[], T>(work: (...given: Arguments) => Promise<T>) =>
    async (...given: Arguments): Promise<T> => {
      if (isDead) return never
      const isLast = calls++ === at
      if (isLast && moment === 'before') return end()
      const result = await work(...given)
      return isLast ? end() : result
    }
  return {
    crashed,
    store: (store: StorageProvider) =>
      forward(store, {
        upload: guarded((key, body, options) => store.upload(key, body, options)),
        copy: guarded((from, to, options) => store.copy(from, to, options)),
        deleteMany: guarded((keys, options) => store.deleteMany(keys, options)),
      }),
    engine: (engine: Engine) =>
      forwardEngine(engine, {
        batch: guarded((statements, options) => engine.batch(statements, options)),
        query: guarded((statement, options) => engine.query(statement, options)),
      }),
  }
}
