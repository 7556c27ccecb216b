import { describe, expect, test } from 'vitest'
import { childText, escapeXml, parseXml } from '../../../src/adapters/s3/xml.ts'

describe('the XML of S3', () => {
  test('gives elements, texts and entities', () => {
    const root = parseXml(
      '<?xml version="1.0"?>\n<R xmlns="x"><!-- c --><Key>a&amp;b&#x20AC;&#10;</Key><E/><C><![CDATA[<x>]]></C></R>',
    )
    expect(root.name).toBe('R')
    expect(childText(root, 'Key')).toBe('a&b€\n')
    expect(childText(root, 'E')).toBe('')
    expect(childText(root, 'C')).toBe('<x>')
    expect(childText(root, 'Missing')).toBeUndefined()
  })

  test('expands nothing that a document declares', () => {
    expect(() => parseXml('<!DOCTYPE r [<!ENTITY a "aaaa">]><r>&a;</r>')).toThrow(SyntaxError)
  })

  test.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<html><br></html>',
    '{"a":1}',
    '<a',
    `${'<a>'.repeat(50)}`,
  ])('refuses %j', text => {
    expect(() => parseXml(text)).toThrow(SyntaxError)
  })

  test('escapes what a key may hold', () => {
    const key = `a<b>&"'\r\n\té`
    expect(childText(parseXml(`<r><k>${escapeXml(key)}</k></r>`), 'k')).toBe(key)
  })
})
