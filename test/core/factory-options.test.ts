import { describe, expect, it } from 'vitest'
import { assertFactoryOptions, type OptionKinds } from '../../src/core/factory-options.ts'
import { refused } from '../support/refused.ts'

interface Options {
  size?: number
  rule?: string | (() => boolean)
  names?: string[]
  clock?: object
}

const KINDS: OptionKinds<Options> = {
  size: 'number',
  rule: 'string or function',
  names: 'array',
  clock: 'object',
}
const check = (options: unknown) => assertFactoryOptions('thing', options as Options, KINDS, 'memory')

describe('options of a factory', () => {
  it.each([
    [{}],
    [{ size: undefined }],
    [{ size: 1, rule: 'a', names: [], clock: new Date() }],
    [{ rule: () => true }],
    [Object.create({ size: 1 })],
  ])('%o are taken', options => {
    expect(() => check(options)).not.toThrow()
  })

  it.each([
    [undefined, /^thing: options must be an object; known are size, rule, names, clock$/],
    [null, /must be an object/],
    [[], /must be an object/],
    ['size', /must be an object/],
    [{ sice: 1 }, /^thing: unknown option 'sice'; known are size, rule, names, clock$/],
    [{ sice: undefined }, /unknown option 'sice'/],
    [{ toString: 1 }, /unknown option 'toString'/],
    [Object.create({ sice: 1 }), /unknown option 'sice'/],
    [{ size: '1' }, /^thing: size must be a number$/],
    [{ size: null }, /size must be a number/],
    [{ rule: 1 }, /rule must be a string or a function/],
    [{ names: 'a' }, /names must be an array/],
    [{ clock: [] }, /clock must be an object/],
    [{ clock: null }, /clock must be an object/],
  ])('%o are refused', (options, message) => {
    expect(() => check(options)).toThrow(refused(message))
  })

  it('are refused in the name of their provider', () => {
    expect(() => check({ sice: 1 })).toThrow(expect.objectContaining({ provider: 'memory' }))
  })
})
