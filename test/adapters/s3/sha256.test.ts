import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Sha256 } from '../../../src/adapters/s3/sha256.ts'

async function digestOf(secret: string | Uint8Array | undefined, ...pieces: string[]): Promise<string> {
  const hash = new Sha256(secret)
  for (const piece of pieces) hash.update(Buffer.from(piece))
  return Buffer.from(await hash.digest()).toString('hex')
}

const hmac = (secret: string, data: string) => createHmac('sha256', secret).update(data).digest('hex')

describe('SHA-256 for signatures', () => {
  test('is that of node:crypto, with and without a secret, in one piece and in several', async () => {
    expect(await digestOf(undefined, 'a', 'b')).toBe(createHash('sha256').update('ab').digest('hex'))
    expect(await digestOf(undefined)).toBe(createHash('sha256').digest('hex'))
    expect(await digestOf(Buffer.from('key'), 'a')).toBe(hmac('key', 'a'))
    expect(await digestOf('key', 'a', 'b')).toBe(hmac('key', 'ab'))
    expect(await digestOf('key')).toBe(hmac('key', ''))
  })

  test('what is remembered is never taken for another secret or other data', async () => {
    for (const [secret, data] of [
      ['k', 'id'],
      ['k', 'id'],
      ['k2', 'id'],
      ['k', 'id2'],
      ['k', 'id'],
    ] as const)
      expect(await digestOf(secret, data)).toBe(hmac(secret, data))
    expect(await digestOf('k', 'id', 'more')).toBe(hmac('k', 'idmore'))
  })
})
