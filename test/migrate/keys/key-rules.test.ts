import { describe, expect, it } from 'vitest'
import { type KeyRule, keyRules } from '../../../src/migrate/keys/key-rules.ts'
import { parseKeyRule } from '../../../src/migrate/keys/parse-key-rule.ts'
import { hasCode } from '../../support/has-code.ts'

const converted = (rules: readonly KeyRule[], key: string) => keyRules(rules)(key, { key, size: 0 })
const typed = (rules: readonly string[], key: string) => converted(rules.map(parseKeyRule), key)

describe('keyRules', () => {
  it.each([
    ['prefix:old/=new/', 'old/a/b', 'new/a/b'],
    ['prefix:old/=new/', 'older/a', 'older/a'],
    ['prefix:old/=', 'old/a', 'a'],
    ['prefix:=new/', 'a', 'new/a'],
    ['regex:^(\\d+)/=archive/$1/', '2024/a', 'archive/2024/a'],
    ['regex:^(\\d+)/=archive/$1/', 'a/2024/a', 'a/2024/a'],
    ['regex:^(?<year>\\d{4})(?=/)=>y$<year>', '2024/a', 'y2024/a'],
    ['regex:\\.jpeg$=.jpg', 'a.jpeg/b.jpeg', 'a.jpeg/b.jpg'],
    ['regex:^.=x', '😀/a', 'x/a'],
    ['layout:users/{id}/{name}=>{id}/{name}', 'users/7/a b.jpg', '7/a b.jpg'],
    ['layout:users/{id}/{name}=>{id}/{name}', 'users/7/x/y', 'users/7/x/y'],
    ['layout:{a}/{rest...}=>moved/{rest}', 'x/y/z', 'moved/y/z'],
    ['layout:{day:date}_{n:int}=>{n}/{day}', '2026-01-31_7', '7/2026-01-31'],
    ['layout:{kind:in|out}/{id}=>{id}-{kind}', 'in/7', '7-in'],
    ['drop:tmp/', 'tmp/a', undefined],
    ['drop:tmp/', 'a/tmp/', 'a/tmp/'],
    ['drop:', 'anything', undefined],
  ])('by %s makes of %s %s', (rule, key, expected) => {
    expect(typed([rule], key)).toBe(expected)
  })

  it('lets the first rule that takes a key decide', () => {
    const rules = ['prefix:a/b/=1/', 'prefix:a/=2/', 'drop:a/', 'drop:tmp/', 'prefix:=rest/']
    expect(['a/b/c', 'a/c', 'tmp/x', 'z'].map(key => typed(rules, key))).toEqual([
      '1/c',
      '2/c',
      undefined,
      'rest/z',
    ])
  })

  it('gives the same answer each time, whatever flags an expression has', () => {
    for (const flags of ['', 'g', 'y', 'gy', 'i']) {
      const rules = [{ match: new RegExp('a', flags), to: 'b' }, { drop: new RegExp('c', flags) }]
      const conversion = keyRules(rules)
      const answers = Array.from({ length: 3 }, () => conversion('xa', { key: 'xa', size: 0 }))
      expect(answers).toEqual(['xb', 'xb', 'xb'])
      expect(conversion('xc', { key: 'xc', size: 0 })).toBeUndefined()
      expect(conversion('xc', { key: 'xc', size: 0 })).toBeUndefined()
    }
  })

  it('throws for one key what its new form can not hold', () => {
    const rules = [parseKeyRule('layout:{a}/{b}=>{a}-{b}')]
    expect(converted(rules, 'x/y')).toBe('x-y')
    expect(() => converted(rules, 'x-1/y')).toThrow(expect.toSatisfy(hasCode('invalid-key')))
  })

  it.each<[string, unknown]>([
    ['no rules', []],
    ['a rule without a kind', [{ to: 'x' }]],
    ['a rule of two kinds', [{ prefix: 'a', layout: 'b', to: 'x' }]],
    ['a rule without its new form', [{ prefix: 'a' }]],
    ['a rule with more', [{ prefix: 'a', to: 'b', flags: 'i' }]],
    ['a text as expression', [{ match: 'a', to: 'b' }]],
    ['a layout that can not be read back', [{ layout: '{a}{b}', to: '{a}' }]],
    ['a parameter that there is not', [{ layout: '{a}', to: '{b}' }]],
    ['a new form that can not be read back', [{ layout: '{a}/{b}', to: '{a}{b}' }]],
  ])('refuses %s', (_, rules) => {
    expect(() => keyRules(rules as never)).toThrow(expect.toSatisfy(hasCode('invalid-argument')))
  })

  it.each([
    ['old/=new/', 'must begin with its kind'],
    ['glob:*=x', 'must begin with its kind'],
    ['prefix:old/', 'must say what keys become'],
    ['prefix:a=b=c', 'write => between'],
    ['regex:(=x', "can't be read"],
  ])('refuses the text %s', (text, message) => {
    expect(() => parseKeyRule(text)).toThrow(message)
    expect(() => parseKeyRule(text)).toThrow(expect.toSatisfy(hasCode('invalid-argument')))
  })
})
