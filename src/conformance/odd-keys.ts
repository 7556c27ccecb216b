/** Names that stores, URLs, XML and file systems are known to trip over. Each is used behind a prefix. */

export const QUOTED_KEYS = [
  "it's.txt",
  'say "hello".txt',
  '`tick`.txt',
  'two words.txt',
  'two  spaces.txt',
  '2024/01/01.txt',
  '0',
  '007.txt',
  'a+b.txt',
  'a&b=c.txt',
  'a;b,c.txt',
  'a?b#c.txt',
  '<tag attr="1">.txt',
  '&amp;.txt',
]

export const UNICODE_KEYS = [
  '☺☺☺',
  '🙀/😀',
  '🇦🇺',
  '$@~',
  'Ünïcödé/straße.txt',
  '日本語/ファイル.txt',
  'עברית.txt',
  '\uffee',
  '\u2028.txt',
]

export const BACKSLASH_KEYS = ['a\\b\\c', '..\\x', '..\\..\\y', '\\', '\\\\server\\share', 'C:\\x', 'a/\\/b']

export const BRACKET_KEYS = [
  '[file].txt',
  '{file}.txt',
  '[folder]/x.txt',
  '{folder}/[x].txt',
  '[a-z]*.txt',
  '{a,b}',
  '(1).txt',
]

export const EDGE_KEYS = [
  ' leading',
  'trailing ',
  '\tleading',
  'trailing\t',
  '\rleading',
  'trailing\r',
  '\nleading',
  'trailing\n',
  '.leading',
  'trailing.',
  '...',
  '~leading',
  'trailing~',
  ' /inside',
  'folder /inside',
  '.folder./inside',
  '~/inside',
]

export const PERCENT_KEYS = [
  '%48%45',
  'HE',
  '%Q',
  '%',
  '%%',
  '%2',
  'test%46.txt',
  'testF.txt',
  '%252F',
  '%2e%2e/x',
  '%00',
]

export const SLASH_KEYS = ['a/b/c', 'a//b///c', '/a', 'a/', '/', '//']

/** What is not alphanumeric in ASCII, NUL and the slash apart, each inside a name. */
export const ASCII_KEYS = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
  .filter(char => !/[A-Za-z0-9/\0]/.test(char))
  .map(char => `x${char}y`)

/** A few of each sort, for what costs a request more per key. */
export const SOME_ODD_KEYS = [
  ...QUOTED_KEYS,
  ...UNICODE_KEYS,
  ...BACKSLASH_KEYS.slice(0, 2),
  ...BRACKET_KEYS,
  ...EDGE_KEYS,
  ...PERCENT_KEYS,
  'a//b///c',
]
