import { describe, expect, it } from 'vitest'
import { type MemoryOptions, memory } from '../../src/adapters/memory.ts'
import { hasCode } from '../support/has-code.ts'

const SECRET = 'a-secret-of-some-length'

describe('the options of memory()', () => {
  it.each([
    ['an option that it does not know', { maxBytes: 1 }],
    ['a size that is none', { maxObjectBytes: 1.5 }],
    ['a clock that is none', { now: 5 }],
    ['a signing without a secret', { signing: { baseUrl: 'http://host' } }],
    ['a signing with an unknown field', { signing: { baseUrl: 'http://host', secret: SECRET, secrets: [] } }],
    [
      'a signing whose former secrets are no list',
      { signing: { baseUrl: 'http://host', secret: SECRET, previousSecrets: SECRET } },
    ],
    ['a signing that is null', { signing: null }],
    ['null', null],
    ['a list', []],
  ])('refuse %s', (_, options) => {
    let thrown: unknown
    try {
      memory(options as MemoryOptions)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toSatisfy(hasCode('invalid-argument'))
  })
})
