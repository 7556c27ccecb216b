import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Download } from '../../src/core/download.ts'
import { PartReader } from '../../src/core/part-reader.ts'

describe('the reads of a source', () => {
  test('that are under way side by side have one listener on the signal that they share, and end with it', async () => {
    const controller = new AbortController()
    const seen = new Set<AbortSignal>()
    const reader = new PartReader({
      size: 20,
      read(_, __, signal) {
        seen.add(signal!)
        return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
      },
    })
    const reads = Array.from({ length: 20 }, (_, at) => reader.read(at, at + 1, controller.signal))
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    expect(seen.size).toBe(20)
    const reason = new Error('gone')
    controller.abort(reason)
    for (const read of reads) await expect(read).rejects.toBe(reason)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  test('give back a body that comes when they have been given up', async () => {
    let cancelled = 0
    const source = { async *chunks() {}, cancel: () => void cancelled++ }
    const download = new Download({ info: { key: 'a', size: 1 }, source })
    const stream = Readable.from(['x'])
    for (const late of [download, stream]) {
      const controller = new AbortController()
      let answer = (_: AsyncIterable<Uint8Array>) => {}
      const opening = new Promise<AsyncIterable<Uint8Array>>(resolve => {
        answer = resolve
      })
      const reader = new PartReader({ size: 1, read: () => opening })
      const read = reader.read(0, 1, controller.signal)
      controller.abort(new Error('gone'))
      await expect(read).rejects.toThrow('gone')
      answer(late)
      await turn()
    }
    expect(cancelled).toBe(1)
    expect(stream.destroyed).toBe(true)
  })
})
