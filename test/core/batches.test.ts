import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'

async function* broken(keys: number, error: Error) {
  for (let i = 0; i < keys; i++) yield `k${i}`
  throw error
}

describe('a source of keys that fails half-way', () => {
  it.each([
    [1200, 'the first 1000 keys were worked on, no others: source gone'],
    [7, 'no key was worked on: source gone'],
  ])('after %i keys says how many were worked on', async (count, message) => {
    const files = memory()
    for (let i = 0; i < count; i++) await files.upload(`k${i}`, 'x', { contentType: 'text/plain' })
    await expect(files.deleteMany(broken(count, new Error('source gone')))).rejects.toMatchObject({
      code: 'aborted',
      retryable: false,
      message: expect.stringContaining(message),
    })
    let left = 0
    for await (const _ of files.list()) left++
    expect(left).toBe(count % 1000)
  })

  it('keeps the code of a list that failed', async () => {
    const lost = new StorageError('unavailable', 'list: the connection broke', { operation: 'list' })
    await expect(memory().infoMany(broken(1, lost))).rejects.toMatchObject({
      code: 'unavailable',
      operation: 'infoMany',
    })
  })
})
