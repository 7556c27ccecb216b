import { availableParallelism } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeInTurn } from '../../../src/images/describe/decode-in-turn.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

const PLACES = Math.min(availableParallelism(), (Number(process.env.UV_THREADPOOL_SIZE) || 4) - 1)

/** A decoder of `ms`, that counts how many run at once. */
function decoder(ms: number) {
  const running = { now: 0, most: 0, started: 0 }
  const decode = async () => {
    running.started++
    running.most = Math.max(running.most, ++running.now)
    await new Promise(resolve => setTimeout(resolve, ms))
    running.now--
  }
  return { running, decode }
}

describe('decodeInTurn', () => {
  it('counts the time of each from its own turn, and leaves a thread to others', async () => {
    const { running, decode } = decoder(100)
    const all = Promise.all(
      Array.from({ length: 60 }, () => decodeInTurn(decode, { signal: undefined, timeoutMs: 150 })),
    )
    await vi.advanceTimersByTimeAsync(60 * 100)
    expect(await all).toHaveLength(60)
    expect(running.most).toBe(PLACES)
  })

  it('does not start what was ended while it waited', async () => {
    const { running, decode } = decoder(100)
    const controller = new AbortController()
    const first = Array.from({ length: PLACES }, () =>
      decodeInTurn(decode, { signal: undefined, timeoutMs: 1000 }),
    )
    const waiting = decodeInTurn(decode, { signal: controller.signal, timeoutMs: 1000 })
    const refused = expect(waiting).rejects.toMatchObject({ code: 'aborted', operation: 'describe' })
    controller.abort()
    await refused
    await vi.advanceTimersByTimeAsync(100)
    await Promise.all(first)
    expect(running.started).toBe(PLACES)
  })

  it('lets nobody in where a decoder that was too slow still runs', async () => {
    const { running, decode } = decoder(500)
    const slow = Array.from({ length: PLACES }, () =>
      decodeInTurn(decode, { signal: undefined, timeoutMs: 100 }),
    )
    const timedOut = Promise.all(
      slow.map(each => expect(each).rejects.toMatchObject({ code: 'timeout', operation: 'describe' })),
    )
    const next = decodeInTurn(async () => 'next', { signal: undefined, timeoutMs: 100 })
    await vi.advanceTimersByTimeAsync(100)
    await timedOut
    expect(running.now).toBe(PLACES)
    let answer: string | undefined
    void next.then(value => {
      answer = value
    })
    await vi.advanceTimersByTimeAsync(300)
    expect(answer).toBeUndefined()
    await vi.advanceTimersByTimeAsync(100)
    expect(await next).toBe('next')
  })

  it('gives its place back where the decoder fails', async () => {
    const failing = () =>
      decodeInTurn(() => Promise.reject(new Error('no')), { signal: undefined, timeoutMs: 10 })
    for (let i = 0; i < 2 * PLACES; i++) await expect(failing()).rejects.toThrow('no')
    await expect(decodeInTurn(async () => 1, { signal: undefined, timeoutMs: 10 })).resolves.toBe(1)
  })
})
