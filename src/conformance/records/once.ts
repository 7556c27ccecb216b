import type { Engine } from '../../sql/engine.ts'
import { equal, ok } from '../assertions.ts'
import { forwardEngine } from './forward-engine.ts'
import type { RecordsCase } from './records-conformance-context.ts'
import { contents, textOf } from './records-scope.ts'

const TURNS = 40

/** Operations that meet each other, and those that are sent twice. */
export const ONCE_CASES: readonly RecordsCase[] = [
  {
    id: 'records/delete-against-upload',
    title: 'a delete and an upload of the same key, in any order, leave one file or none, and its bytes',
    covers: [107],
    async run(scope) {
      const place = await scope.place()
      const [one, two] = [place.process(), place.process()]
      for (let turn = 0; turn < TURNS; turn++) {
        await one.upload('a.txt', 'before')
        const racers = [() => one.delete('a.txt'), () => two.upload('a.txt', `turn ${turn}`)]
        if (turn % 2) racers.reverse()
        await Promise.all(racers.map(race => race()))
        if (await one.exists('a.txt'))
          equal(await textOf(two, 'a.txt'), `turn ${turn}`, 'the file that is left')
      }
      await one.recover()
      equal(await place.strays(one), [], 'what no file has')
    },
  },
  {
    id: 'records/lost-answer',
    title: 'an operation whose answer was lost happens once',
    covers: [108],
    async run(scope) {
      const place = await scope.place()
      const engine = losingAnswers(scope.engine)
      const files = place.process({}, { engine })
      await files.upload('a.txt', 'one')
      await files.upload('a.txt', 'two')
      await files.copy('a.txt', 'b.txt')
      await files.delete('a.txt')
      for (let round = 0; round < 3; round++) await files.recover()
      equal(await contents(files), { 'b.txt': 'two' }, 'what is there')
      equal(await place.strays(files), [], 'what no file has')
      ok(engine.lost() > 3, `only ${engine.lost()} answers were lost`)
    },
  },
]

/** An engine whose every other batch is applied, and then sent once more by its id, as after a lost answer. */
function losingAnswers(engine: Engine): Engine & { lost(): number } {
  let batches = 0
  let lost = 0
  const losing = forwardEngine(engine, {
    async batch(statements, options) {
      const result = await engine.batch(statements, options)
      if (options?.id === undefined || batches++ % 2 === 0) return result
      lost++
      const again = await engine.batch(statements, options)
      equal(again.applied, result.applied, 'whether a batch that was sent again had been applied')
      return again
    },
  })
  return Object.assign(losing, { lost: () => lost })
}
