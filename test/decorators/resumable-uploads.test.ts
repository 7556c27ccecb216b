import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { RangeSource, StorageProvider, UploadedPart } from '../../src/core/provider.ts'
import {
  type FaultRule,
  faults,
  forward,
  observe,
  prefix,
  readOnly,
  retry,
  timeout,
} from '../../src/decorators/index.ts'
import { resumableMemory } from '../support/resumable-memory.ts'

const PART = 4096
const bytes = randomBytes(PART * 4 + 10)
const quick = { sleep: async () => {} }
const cut = (times: number): FaultRule => ({ kind: 'cut', operations: ['uploadResumable'], times })
const lost: FaultRule = { kind: 'lost-answer', operations: ['uploadResumable'], times: 1 }

function watched(): RangeSource & { readonly starts: number[] } {
  const starts: number[] = []
  return {
    size: bytes.length,
    starts,
    async read(start, end) {
      starts.push(start)
      return bytes.subarray(start, end)
    },
  }
}

async function unfinished(files: StorageProvider): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of files.unfinishedUploads()) keys.push(key)
  return keys
}

describe('a resumable upload', () => {
  it('goes on under retry with the parts that the failed try has stored', async () => {
    const inner = resumableMemory()
    // The seed's cut is behind the second part.
    const flaky = faults(inner, { seed: 4, rules: [cut(1)] })
    const source = watched()
    const tokens: string[] = []
    const parts: UploadedPart[] = []
    await retry(flaky, quick).uploadResumable('a', source, {
      concurrency: 1,
      onToken: token => void tokens.push(token),
      onPart: part => void parts.push(part),
    })
    expect(Buffer.compare(await (await inner.download('a')).bytes(), bytes)).toBe(0)
    expect(tokens).toHaveLength(1)
    const starts = [0, 1, 2, 3, 4].map(n => n * PART)
    expect(parts.map(part => part.start)).toEqual(starts)
    expect(source.starts.filter(start => start > 0)).toEqual(starts.slice(1))
  })

  it('begins anew under retry where nobody notes a token, and leaves nothing', async () => {
    const inner = resumableMemory()
    const flaky = faults(inner, { seed: 4, rules: [cut(9)] })
    await expect(
      retry(flaky, { ...quick, attempts: 3 }).uploadResumable('a', watched()),
    ).rejects.toMatchObject({ code: 'unavailable' })
    expect(await unfinished(inner)).toEqual([])
    expect(flaky.faults.log).toHaveLength(3)
  })

  it('that created its object before the answer was lost is done', async () => {
    const inner = resumableMemory()
    const flaky = faults(inner, { seed: 1, rules: [lost] })
    const create = { ifNoneMatch: '*', contentType: 'a/b', onToken: () => {} } as const
    const info = await retry(flaky, quick).uploadResumable('a', watched(), create)
    expect(info).toMatchObject({ key: 'a', size: bytes.length })
    await expect(retry(flaky, quick).uploadResumable('a', watched(), create)).rejects.toMatchObject({
      code: 'already-exists',
    })
  })

  it('is not taken for its own where another has created the object', async () => {
    const inner = resumableMemory()
    let tries = 0
    const store = forward(inner, {
      async uploadResumable(key, source, options) {
        if (++tries > 1) return inner.uploadResumable(key, source, options)
        await inner.upload(key, randomBytes(bytes.length))
        throw new StorageError('unavailable', 'the answer was lost')
      },
    })
    await expect(
      retry(store, quick).uploadResumable('a', watched(), { ifNoneMatch: '*', onToken: () => {} }),
    ).rejects.toMatchObject({ code: 'already-exists' })
  })

  it('ends with timeout where its source hangs, and not while parts arrive', async () => {
    const timers: (() => void)[] = []
    const timer = (_: number, call: () => void) => {
      timers.push(call)
      return () => {}
    }
    const files = timeout(resumableMemory(), { timeoutMs: 1000, timer })
    const slow = watched()
    await files.uploadResumable('a', slow, { concurrency: 1 })
    // Armed anew by each read and each part: the call's own, five of each.
    expect(timers.length).toBeGreaterThanOrEqual(11)
    const hanging = { size: bytes.length, read: () => new Promise<never>(() => {}) }
    const upload = files.uploadResumable('b', hanging)
    const failed = expect(upload).rejects.toMatchObject({ code: 'timeout', operation: 'uploadResumable' })
    timers.at(-1)!()
    await failed
  })

  it('is told to an observer with the bytes of the parts that were sent', async () => {
    const events: unknown[] = []
    const files = observe(resumableMemory(), event => void events.push(event))
    await files.uploadResumable('a', watched())
    expect(events).toEqual([
      expect.objectContaining({
        operation: 'uploadResumable',
        key: 'a',
        outcome: 'ok',
        bytesSent: bytes.length,
      }),
    ])
  })

  it('has its key under a prefix, and is refused where only reading is allowed', async () => {
    const inner = resumableMemory()
    const info = await prefix(inner, 't').uploadResumable('a', watched())
    expect(info.key).toBe('a')
    expect(await inner.exists('t/a')).toBe(true)
    const reading = readOnly(inner)
    expect(reading.capabilities.resumableUpload).toBe(false)
    await expect(reading.uploadResumable('b', watched())).rejects.toMatchObject({ code: 'unsupported' })
  })
})
