import { getEventListeners, once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { deadline, untilEnded } from '../../src/core/deadline.ts'

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

describe('a wait that was given up', () => {
  it('hands on an answer that comes later, once, and what is thrown over it is nobody’s', async () => {
    const late: string[] = []
    const giveBack = (answer: string) => {
      late.push(answer)
      throw new Error('a connection that can’t be given back')
    }
    for (const begins of ['ended', 'open']) {
      const controller = new AbortController()
      let resolve = (_: string) => {}
      const promise = new Promise<string>(done => {
        resolve = done
      })
      if (begins === 'ended') controller.abort(new Error('gone'))
      const waiting = untilEnded(promise, controller.signal, giveBack)
      controller.abort(new Error('gone'))
      await expect(waiting).rejects.toThrow('gone')
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
      resolve(begins)
      await new Promise(setImmediate)
    }
    expect(late).toEqual(['ended', 'open'])
  })

  it('hands on nothing of what was waited for, nor of what failed', async () => {
    const late: unknown[] = []
    const controller = new AbortController()
    const { signal } = controller
    await untilEnded(Promise.resolve(1), signal, value => late.push(value))
    let reject = (_: Error) => {}
    const failing = new Promise<number>((_, fail) => {
      reject = fail
    })
    const waiting = untilEnded(failing, signal, value => late.push(value))
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    reject(new Error('late, too'))
    await new Promise(setImmediate)
    expect(late).toEqual([])
  })
})
