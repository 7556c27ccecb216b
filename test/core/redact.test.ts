import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { redact } from '../../src/core/redact.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZSJ9.c2lnbmF0dXJlLWhlcmU'

describe('redaction', () => {
  it.each([
    [
      'https://b.s3/x?X-Amz-Credential=AKIDEXAMPLE%2F2026&X-Amz-Signature=abcdef0123',
      ['AKIDEXAMPLE', 'abcdef0123'],
    ],
    [`GET /object/sign/b/k?token=${JWT} failed`, [JWT]],
    [`authorization: Bearer ${JWT}`, [JWT]],
    ['authorization: Bearer sb_secret_abcdefgh12345', ['sb_secret_abcdefgh12345']],
    [
      'AWS4-HMAC-SHA256 Credential=AKID/2026/us-east-1, SignedHeaders=host, Signature=feedface',
      ['AKID/', 'feedface'],
    ],
    ['redis://user:hunter22@localhost:6379', ['hunter22']],
    ['http://files/a?method=GET&expires=1&signature=Zm9vYmFy', ['Zm9vYmFy']],
  ])('takes the secrets out of %s', (text, secrets) => {
    for (const secret of secrets) expect(redact(text)).not.toContain(secret)
  })

  it('leaves what a person needs to find the fault', () => {
    expect(redact('upload: bucket photos, key a/token.txt: status 403')).toBe(
      'upload: bucket photos, key a/token.txt: status 403',
    )
  })

  it('keeps vendor requests with their headers out of what console.error prints', () => {
    const vendor = Object.assign(new Error(`refused https://b/x?X-Amz-Signature=abcdef0123`), {
      $response: { headers: { authorization: `Bearer ${JWT}` } },
      config: { secretAccessKey: 'very-secret' },
      cause: new Error(`token=${JWT}`),
    })
    const printed = inspect(new StorageError('internal', `failed: ${vendor.message}`, { cause: vendor }), {
      depth: 10,
    })
    for (const secret of ['abcdef0123', JWT, 'very-secret']) expect(printed).not.toContain(secret)
    expect(printed).toContain('refused https://b/x')
  })

  it.each(['a.', '-eyJaaaa', 'a://', '?x-amz-', 'eyJaaaa.'])(
    'takes time in proportion to a text of many %s',
    part => {
      const started = performance.now()
      redact(part.repeat(100_000))
      expect(performance.now() - started).toBeLessThan(2_000)
    },
  )

  it('ends at causes that go in a circle', () => {
    const error = new Error('round and round')
    error.cause = error
    expect(new StorageError('internal', 'failed', { cause: error }).cause).toMatchObject({
      message: 'round and round',
    })
  })
})
