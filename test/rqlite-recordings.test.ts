/** Holds the stand-in to what a real cluster of rqlite answered: every recording is played against it in order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matter } from './support/rqlite-replay/matter.ts'
import { recordingsInOrder } from './support/rqlite-replay/recordings.ts'
import { SCENES } from './support/rqlite-replay/scenes.ts'
import { openStage, type Stage } from './support/rqlite-replay/stage.ts'
import { UNRECORDED_STEPS } from './support/rqlite-replay/unrecorded-steps.ts'

/** Recordings that can't be played, with the reason. */
const NOT_PLAYABLE: Record<string, string> = {
  'sql-analyze': "prints statements from the syntax tree of rqlite's own SQL parser; no client needs it",
  'pragma-query-compile_options': 'tells how the SQLite of the server was compiled, which is another one',
  'sqlite-features': 'tells the version of the SQLite of the server, which is another one',
  'admin-GET-/debug/vars?key=http': "counts of the server's own statistics; no client needs them",
}

const recordings = recordingsInOrder()
const played = new Set<string>()
let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})

afterAll(async () => {
  await stage?.stop()
})

describe('the stand-in answers as the real cluster did', () => {
  for (const recording of recordings) {
    const { name } = recording
    if (NOT_PLAYABLE[name]) continue
    it(name, async () => {
      await UNRECORDED_STEPS[name]?.(stage)
      const scene = SCENES[name] ?? ((at, what) => at.play(what))
      const answer = await scene(stage, recording)
      const headers = Object.fromEntries(
        Object.entries(answer.headers).map(([header, value]) => [header, stage.recordedNames(value)]),
      )
      const answered = matter(name, { ...answer, headers }, stage.recordedNames(answer.body))
      expect(answered).toEqual(matter(name, recording.response))
      played.add(name)
    })
  }

  it('plays or lists every recording', () => {
    const listed = Object.keys(NOT_PLAYABLE)
    const names = new Set(recordings.map(recording => recording.name))
    console.log(
      `played ${played.size} of ${recordings.length}, ${listed.length} listed as not playable: ${listed.join(', ')}`,
    )
    for (const known of [listed, Object.keys(UNRECORDED_STEPS), Object.keys(SCENES)])
      expect(known.filter(name => !names.has(name))).toEqual([])
    expect(names.size).toBe(recordings.length)
    expect(played.size + listed.length).toBe(recordings.length)
  })
})
