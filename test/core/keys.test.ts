import { describe, expect, it } from 'vitest'
import { ANY_KEY, compareKeys, encodeKey, keyProblem } from '../../src/core/keys.ts'

describe('keys', () => {
  it.each([
    'a',
    'a/b',
    'a//b',
    '/a',
    'a/',
    ' ',
    'a b',
    'é',
    '😀',
    '..a',
    'a..',
    '...',
    '\u0001',
    'a\nb',
    '%2e%2e',
  ])('accepts %j', key => expect(keyProblem(key, ANY_KEY)).toBeUndefined())

  it.each([
    ['', 'empty'],
    ['.', 'segment'],
    ['..', 'segment'],
    ['a/../b', 'segment'],
    ['a/.', 'segment'],
    ['./a', 'segment'],
    ['a\0b', 'NUL'],
    ['\ud800', 'lone surrogate'],
    ['a\udc00b', 'lone surrogate'],
  ])('refuses %j and says why', (key, reason) => expect(keyProblem(key, ANY_KEY)).toContain(reason))

  it('accepts 1,024 bytes and refuses more, whatever they spell', () => {
    expect(keyProblem('x'.repeat(1024), ANY_KEY)).toBeUndefined()
    expect(keyProblem('x'.repeat(1025), ANY_KEY)).toContain('1025 bytes')
    expect(keyProblem('é'.repeat(513), ANY_KEY)).toContain('1026 bytes')
  })

  it.each([[undefined], [null], [1], [{}]])('refuses %j, which is no string', key => {
    expect(keyProblem(key, ANY_KEY)).toContain('must be a string')
  })

  it('keeps the rules of a narrower store', () => {
    const narrow = { ...ANY_KEY, emptySegments: false, maxSegmentBytes: 4, allowed: /^[a-z/]+$/ }
    expect(keyProblem('abc/def', narrow)).toBeUndefined()
    for (const key of ['a//b', '/a', 'a/', 'abcde', 'a/éé', 'A'])
      expect(keyProblem(key, narrow)).toBeDefined()
  })

  it('orders as the UTF-8 bytes do', () => {
    const keys = [
      '',
      'a',
      'a/b',
      'a-b',
      'a b',
      'ab',
      'é',
      'e\u0301',
      '\uffff',
      '\ue000',
      '\ud7ff',
      '😀',
      '🙀',
      '\u{10ffff}',
      'a😀',
      'a\uffff',
    ]
    const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect([...keys].sort(compareKeys)).toEqual(byBytes)
  })

  it('encodes so that a URL parser gives back the same key', () => {
    for (const key of ["a b/c?d#e%f+g&h=i'j(k)*!", 'é/😀', 'a%2Fb/c', '%', 'x//y/']) {
      const { pathname, search, hash } = new URL(`http://host/${encodeKey(key)}`)
      expect([search, hash]).toEqual(['', ''])
      expect(pathname.slice(1).split('/').map(decodeURIComponent).join('/')).toBe(key)
    }
  })
})
