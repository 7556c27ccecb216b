import { describe, expect, test } from 'vitest'
import { decodeMetadataValue, encodeMetadataValue } from '../../../src/adapters/s3/metadata-codec.ts'

const VALUES = [
  '',
  'plain',
  'two  spaces   inside',
  ' at the edges ',
  '\ttab\tand\nline',
  'é',
  '日本語 😀'.repeat(30),
  '=?UTF-8?B?eA==?=',
  '=?UTF-8?Q?=C3=A9?= and more',
  '=?',
  'a=?b?=',
  '100 %',
]

describe('metadata values', () => {
  test.each(VALUES)('%j comes back as it was', value => {
    const sent = encodeMetadataValue(value)
    expect(sent).toMatch(/^[\x20-\x7e]*$/)
    expect(decodeMetadataValue(sent)).toBe(value)
  })

  test('plain ones are sent as they are, so that others can read them', () => {
    expect(encodeMetadataValue('two  spaces')).toBe('two  spaces')
  })

  test('encoded words are at most 75 characters long (RFC 2047)', () => {
    for (const word of encodeMetadataValue('é😀'.repeat(100)).split(' '))
      expect(word.length).toBeLessThanOrEqual(75)
  })

  test('reads what MinIO makes of raw Latin-1', () => {
    expect(decodeMetadataValue('=?UTF-8?q?=C3=A9_x?=')).toBe('é x')
  })

  test('leaves a word of an unknown charset alone', () => {
    expect(decodeMetadataValue('=?x-klingon?B?eA==?=')).toBe('=?x-klingon?B?eA==?=')
  })
})
