import type { Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { AnswerBody } from '../../../src/adapters/s3/transport.ts'

/** undici hands out what its parser still holds from within `resume()`, before that returns. */
function pausedAnswer(held: Uint8Array[]) {
  const body = new AnswerBody(
    () => {},
    () => {},
    undefined,
  )
  const controller = {
    pause() {},
    abort() {},
    resume() {
      const rest = held.splice(0)
      if (rest.length === 0) return
      for (const chunk of rest)
        body.onResponseData(controller as unknown as Dispatcher.DispatchController, chunk)
      body.onResponseEnd()
    },
  }
  // Only these three are called; the rest is the state of undici's own parser.
  body.onRequestStart(controller as unknown as Dispatcher.DispatchController)
  return body
}

describe('the body of an answer', () => {
  it('goes on when the rest and the end come while it resumes', async () => {
    const read: number[] = []
    for await (const chunk of pausedAnswer([Uint8Array.of(1, 2), Uint8Array.of(3)]).chunks())
      read.push(...chunk)
    expect(read).toEqual([1, 2, 3])
  }, 2000)
})
