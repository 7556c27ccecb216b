import { describe, expect, it } from 'vitest'
import { assertContentType, typeOfBytes, typeOfName } from '../../src/core/content-type.ts'

describe('content types', () => {
  it.each([
    ['a/photo.JPG', 'image/jpeg'],
    ['index.html', 'text/html'],
    ['logo.svg', 'image/svg+xml'],
    ['data.json', 'application/json'],
    ['a.b/c', undefined],
    ['noextension', undefined],
    ['what.zzzz', undefined],
    ['.png', 'image/png'],
    ['toString', undefined],
    ['a.constructor', undefined],
  ])('knows %s by its name', async (key, type) => expect(await typeOfName(key)).toBe(type))

  it.each<[string, number[] | string, string]>([
    [
      'PNG',
      [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
      'image/png',
    ],
    ['JPEG', [0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 0x4a, 0x46, 0x49, 0x46, 0, 1], 'image/jpeg'],
    ['GIF', 'GIF89a\u0001\u0000', 'image/gif'],
    ['WebP', 'RIFF\u0010\u0000\u0000\u0000WEBPVP8 ', 'image/webp'],
    ['PDF', '%PDF-1.7\n%', 'application/pdf'],
    ['ZIP', 'PK\u0003\u0004\u0014\u0000\u0000\u0000', 'application/zip'],
    ['gzip', [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], 'application/gzip'],
    ['text', 'Grüße aus Köln\n', 'text/plain'],
    ['HTML', '\n <!DOCTYPE html><title>x</title>', 'text/html'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
    ['SVG behind an XML declaration', '<?xml version="1.0"?>\n<svg/>', 'image/svg+xml'],
    ['other XML', '<?xml version="1.0"?><feed/>', 'application/xml'],
    ['bytes of no kind', [0, 1, 2, 3, 0xfe, 0xff, 0, 9], 'application/octet-stream'],
    ['nothing', '', 'application/octet-stream'],
  ])('knows %s by its first bytes', async (_, first, type) => {
    expect(await typeOfBytes(typeof first === 'string' ? Buffer.from(first) : Uint8Array.from(first))).toBe(
      type,
    )
  })

  it('forgives a character that the sample cuts in two', async () => {
    expect(await typeOfBytes(Buffer.from('é'.repeat(3000)).subarray(0, 4099))).toBe('text/plain')
  })

  it.each([
    'image/png',
    'text/plain; charset=utf-8',
    'multipart/form-data; boundary="a b"',
    'application/vnd.api+json',
  ])('accepts %s', type => {
    expect(() => assertContentType(type, 'upload', 'test')).not.toThrow()
  })

  it.each([
    '',
    'png',
    'image/',
    '/png',
    'image/png\r\nX-Evil: 1',
    'image/png;',
    'text/ html',
    'текст/html',
    1,
    null,
  ])('refuses %j', type => {
    expect(() => assertContentType(type, 'upload', 'test')).toThrow(/MIME type/)
  })
})
