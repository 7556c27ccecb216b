import { getEventListeners, once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { deadline } from '../../src/core/deadline.ts'

describe('the deadline of an operation', () => {
  it('forgets the caller’s signal when its time has passed, though nobody clears it', async () => {
    const { signal } = new AbortController()
    const ends = deadline({ signal, timeoutMs: 1 }, 'download', 'test')
    await once(ends.signal!, 'abort')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('stops its timer when the caller ends it, so that the process can end', () => {
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    const controller = new AbortController()
    deadline({ signal: controller.signal, timeoutMs: 60_000 }, 'download', 'test')
    expect(timers()).toBe(before + 1)
    controller.abort()
    expect(timers()).toBe(before)
  })

  it('lets one signal stand for many operations at once without a warning', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    const files = memory()
    const uploads = Array.from({ length: 30 }, (_, i) =>
      files.upload(`${i}`, Readable.from(['x']), { signal }),
    )
    await Promise.all(uploads)
    await new Promise(setImmediate)
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
