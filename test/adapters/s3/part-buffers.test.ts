import { describe, expect, test } from 'vitest'
import { MAX_PARTS, partBuffers, partSizes } from '../../../src/adapters/s3/part-buffers.ts'

const MIB = 2 ** 20
const SETTINGS = { partSizeBytes: 8 * MIB, multipartThresholdBytes: 16 * MIB }

async function* chunks(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const [index, size] of sizes.entries()) yield new Uint8Array(size).fill(index + 1)
}

async function cut(size: number, ...sizes: number[]): Promise<{ bytes: number[]; last: boolean }[]> {
  const parts = partBuffers(chunks(...sizes), () => size, 2)
  const found: { bytes: number[]; last: boolean }[] = []
  for (let part = await parts.next(); part !== undefined; part = await parts.next()) {
    found.push({ bytes: [...part.bytes], last: part.last })
    part.release()
  }
  return found
}

describe('part sizes', () => {
  test('a known size fits into 10,000 parts', () => {
    const tebibytes = 5 * 2 ** 40
    const size = partSizes(SETTINGS, tebibytes)(1)
    expect(size * MAX_PARTS).toBeGreaterThanOrEqual(tebibytes)
    expect(partSizes(SETTINGS, 100 * MIB)(1)).toBe(8 * MIB)
  })

  test('a size below the threshold is one part, an empty one included', () => {
    expect(partSizes(SETTINGS, 12 * MIB)(1)).toBe(12 * MIB)
    expect(partSizes(SETTINGS, 0)(1)).toBe(1)
  })

  test('an unknown size grows, so that 10,000 parts hold 5 TiB', () => {
    const sizeOf = partSizes(SETTINGS, undefined)
    let total = 0
    for (let number = 1; number <= MAX_PARTS; number++) total += sizeOf(number)
    expect(sizeOf(1000)).toBe(8 * MIB)
    expect(total).toBeGreaterThanOrEqual(5 * 2 ** 40)
  })
})

describe('part buffers', () => {
  test('cut chunks of any size into parts, and the last one knows that it is', async () => {
    expect(await cut(3, 1, 4, 2)).toEqual([
      { bytes: [1, 2, 2], last: false },
      { bytes: [2, 2, 3], last: false },
      { bytes: [3], last: true },
    ])
    expect(await cut(3, 3, 3)).toEqual([
      { bytes: [1, 1, 1], last: false },
      { bytes: [2, 2, 2], last: true },
    ])
    expect(await cut(3)).toEqual([])
  })

  test('a part that was released gives its memory to a later one', async () => {
    const parts = partBuffers(chunks(4, 4, 4, 4, 4), () => 4, 2)
    const first = await parts.next()
    expect(parts.full).toBe(true)
    first!.release()
    expect(parts.full).toBe(false)
    await parts.next()
    const third = await parts.next()
    expect(third!.bytes.buffer).toBe(first!.bytes.buffer)
  })

  test('the first part grows from little memory', async () => {
    const parts = partBuffers(chunks(100, 300_000, 700_000), () => 8 * MIB, 2)
    const first = await parts.next()
    expect(first).toMatchObject({ last: true })
    expect(first!.bytes.length).toBe(1_000_100)
    expect([first!.bytes[0], first!.bytes[100], first!.bytes[300_100]]).toEqual([1, 2, 3])
    expect(first!.bytes.buffer.byteLength).toBeLessThan(4 * MIB)
  })
})
