/** Holds the stand-in to what a real Supabase Storage answered: every recording is played against it in order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { playS3 } from './support/supabase-replay/play-s3.ts'
import { longKey, matter, playWire } from './support/supabase-replay/play-wire.ts'
import { withoutOrder } from './support/supabase-replay/race-scenes.ts'
import {
  isWire,
  type Recording,
  recordingsInOrder,
  type WireAnswer,
} from './support/supabase-replay/recordings.ts'
import { SCENES } from './support/supabase-replay/scenes.ts'
import { SDK_CALLS } from './support/supabase-replay/sdk-calls.ts'
import { openStage, type Stage } from './support/supabase-replay/stage.ts'
import { describedResult, supabaseClients } from './support/supabase-replay/supabase-clients.ts'
import { UNRECORDED_STEPS } from './support/supabase-replay/unrecorded-steps.ts'

/** Recordings that can't be played, with the reason. */
const NOT_PLAYABLE: Record<string, string> = {}

const recordings = recordingsInOrder()
const played = new Set<string>()
let stage: Stage
let clients: ReturnType<typeof supabaseClients>

beforeAll(async () => {
  stage = await openStage()
  clients = supabaseClients(stage)
})

afterAll(async () => {
  await stage?.server.stop()
})

async function play(recording: Recording): Promise<{ recorded: unknown; answered: unknown }> {
  const { name, request, response } = recording
  const scene = SCENES[name]
  if (scene) {
    const told = withoutOrder(name, await scene(stage, recording))
    const recorded = withoutOrder(name, response)
    return isAnswer(told) && isAnswer(recorded)
      ? { recorded: matter(recorded), answered: matter(told) }
      : { recorded, answered: told }
  }
  if (name.startsWith('sdk:')) return playSdk(recording)
  if (name.startsWith('s3:')) return { recorded: response, answered: await playS3(stage, recording) }
  if (!isWire(request)) throw new Error('neither a request nor a scene')
  const answer = await playWire(stage, recording, request)
  if (!isAnswer(response)) return { recorded: response, answered: summary(response as object, answer) }
  if (!recording.readback) return { recorded: matter(response), answered: matter(answer) }
  const read = await stage.ask('GET', longKey(request.path).slice('/storage/v1'.length))
  return {
    recorded: { ...matter(response), readback: recording.readback },
    answered: { ...matter(answer), readback: { status: read.status, body: read.body } },
  }
}

const isAnswer = (value: unknown): value is WireAnswer =>
  typeof value === 'object' && value !== null && 'headers' in value

/** Long answers were recorded in short. */
function summary(recorded: object, { status, body }: WireAnswer) {
  return 'returnedRows' in recorded ? { status, returnedRows: (body as unknown[]).length } : { status, body }
}

async function playSdk({ name, request, response, sdk }: Recording) {
  const call = SDK_CALLS[name.slice('sdk:'.length)]
  if (!call) throw new Error('no call is known')
  clients.heard.length = 0
  const result = describedResult(await call(clients))
  const heard = clients.heard.at(-1)
  const recordedRequest = isWire(request) ? { ...request, path: stage.volatile.fill(request.path) } : null
  const headers = (all: Record<string, string> = {}) =>
    Object.fromEntries(
      Object.entries(all).map(([key, value]) => [
        key,
        stage.volatile.fill(value.replace(/version=[\d.]+/, '')),
      ]),
    )
  return {
    recorded: {
      request: recordedRequest && { ...recordedRequest, headers: headers(recordedRequest.headers) },
      response: isAnswer(response) ? matter(response) : response,
      sdk,
    },
    answered: {
      request: heard ? { ...heard.request, headers: headers(heard.request.headers) } : null,
      response: heard ? matter(heard.response) : null,
      sdk: result,
    },
  }
}

describe('the stand-in answers as the real server did', () => {
  for (const recording of recordings) {
    if (NOT_PLAYABLE[recording.name]) continue
    it(recording.name, async () => {
      await UNRECORDED_STEPS[recording.name]?.(stage)
      const { recorded, answered } = await play(recording)
      expect(stage.volatile.restore(recorded, answered)).toEqual(recorded)
      played.add(recording.name)
    })
  }

  it('plays or lists every recording', () => {
    const listed = Object.keys(NOT_PLAYABLE)
    const names = new Set(recordings.map(recording => recording.name))
    console.log(
      `played ${played.size} of ${recordings.length}, ${listed.length} listed as not playable: ${listed.join(', ') || 'none'}`,
    )
    expect(listed.filter(name => !names.has(name))).toEqual([])
    expect(Object.keys(UNRECORDED_STEPS).filter(name => !names.has(name))).toEqual([])
    expect(played.size + listed.length).toBe(recordings.length)
  })
})
