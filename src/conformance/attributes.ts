import type { Capabilities } from '../core/capabilities.ts'
import type { ObjectAttributes } from '../core/options.ts'
import { equal, fails, ok } from './assertions.ts'
import { pattern, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'
import { refusesUpload } from './write-checks.ts'

/** The smallest PNG there is: one transparent pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

const HEADERS = [
  ['cacheControl', 'cache-control', 'public, max-age=31536000, immutable'],
  ['contentDisposition', 'content-disposition', 'attachment; filename="report (1).pdf"'],
  ['contentEncoding', 'content-encoding', 'gzip'],
  ['contentLanguage', 'content-language', 'de-CH'],
] as const

type Header = (typeof HEADERS)[number][0]

async function hasType(scope: Scope, key: string, expected: string): Promise<void> {
  equal((await scope.files.info(key)).contentType, expected, `contentType of ${JSON.stringify(key)}`)
}

/** Every attribute that the provider declares to keep, with a value. */
function everyAttribute(can: Capabilities): ObjectAttributes {
  const kept = HEADERS.filter(([name]) => can[name]).map(([name, , value]) => [name, value])
  return {
    ...Object.fromEntries(kept),
    contentType: 'application/x-kit; version=1',
    ...(can.metadata ? { metadata: { author: 'kit', 'long-name': 'a  b' } } : {}),
  }
}

async function hasAttributes(scope: Scope, key: string, expected: ObjectAttributes): Promise<void> {
  const info = await scope.files.info(key)
  const download = await scope.files.download(key)
  download.cancel()
  for (const [name, value] of Object.entries(expected)) {
    equal(info[name as Header], value, `${name} of info`)
    equal(download.info[name as Header], value, `${name} of download`)
  }
}

export const ATTRIBUTE_CASES: readonly ConformanceCase[] = [
  {
    id: 'write/type-from-bytes',
    title: 'the type is found from the first bytes, also when the first chunk has 10 of them',
    covers: [24],
    needs: ['writable'],
    async run(scope) {
      for (const [name, body, type] of [
        ['whole', PNG, 'image/png'],
        ['stream', streamOf(PNG, 10), 'image/png'],
        ['single-bytes', streamOf(PNG, 1), 'image/png'],
        ['pdf', '%PDF-1.7\n%âãÏÓ\n', 'application/pdf'],
      ] as const) {
        await scope.files.upload(scope.key(name), body)
        await hasType(scope, scope.key(name), type)
      }
      await scope.holdsBytes(scope.key('stream'), PNG)
    },
  },
  {
    id: 'write/explicit-type-wins',
    title: 'a type that is given wins over name and bytes',
    covers: [25],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('picture.png')
      await scope.files.upload(key, PNG, { contentType: 'text/x-explicit' })
      await hasType(scope, key, 'text/x-explicit')
    },
  },
  {
    id: 'write/invalid-type-is-refused',
    title: 'what is no MIME type is refused as invalid-argument, nothing is written',
    covers: [26],
    needs: ['writable'],
    async run(scope) {
      for (const contentType of ['notatype', '', 'text/', '/plain', 'text/plain\r\nx: y', 'a b/c'])
        await refusesUpload(
          scope,
          `contentType ${JSON.stringify(contentType)}`,
          'invalid-argument',
          () => 'body',
          () => ({ contentType }),
        )
    },
  },
  {
    id: 'write/svg-and-unknown-types',
    title: 'SVG is known by name and by content; unknown bytes are application/octet-stream',
    covers: [27],
    needs: ['writable'],
    async run(scope) {
      for (const [name, body, type] of [
        ['logo.svg', SVG, 'image/svg+xml'],
        ['logo', SVG, 'image/svg+xml'],
        ['data.unknown-extension', pattern(100, 7), 'application/octet-stream'],
        ['given.bin', pattern(100, 7), 'application/octet-stream'],
      ] as const) {
        await scope.files.upload(scope.key(name), body)
        await hasType(scope, scope.key(name), type)
      }
    },
  },
  ...HEADERS.map(
    ([name, id, value]): ConformanceCase => ({
      id: `write/${id}`,
      title: `${name} comes back as it was given; the bytes are not touched`,
      covers: [28],
      needs: ['writable', name],
      async run(scope) {
        const key = scope.key('header.txt')
        await scope.files.upload(key, 'not encoded at all', { [name]: value })
        await hasAttributes(scope, key, { [name]: value })
        await scope.holdsBytes(key, 'not encoded at all')
        for (const bad of ['line\r\nx-evil: 1', 'nul\0'])
          await refusesUpload(
            scope,
            `a bad ${name}`,
            'invalid-argument',
            () => 'b',
            () => ({ [name]: bad }),
          )
      },
    }),
  ),
  {
    id: 'write/attributes-through-multipart',
    title: 'type, headers and metadata come back also from an upload in parts',
    covers: [29],
    needs: ['writable'],
    async run(outer) {
      const partSizeBytes = outer.context.partSizesBytes?.[0] ?? 5 * 2 ** 20
      const scope = await outer.with({ partSizeBytes, multipartThresholdBytes: partSizeBytes })
      const key = scope.key('parts.bin')
      const attributes = everyAttribute(scope.capabilities)
      await scope.files.upload(key, streamOf(pattern(partSizeBytes + 1)), attributes)
      await hasAttributes(scope, key, attributes)
    },
  },
  {
    id: 'write/metadata-names',
    title: 'names of metadata come back in lower case; empty, odd and repeated ones are refused',
    covers: [30],
    needs: ['writable', 'metadata'],
    async run(scope) {
      const key = scope.key('names.txt')
      await scope.files.upload(key, 'x', {
        metadata: { 'Mixed-Case': 'A Value', plain_name: '1', 'with.dot': '2' },
      })
      const expected: Record<string, string> = { 'mixed-case': 'A Value', plain_name: '1', 'with.dot': '2' }
      equal({ ...(await scope.files.info(key)).metadata }, expected, 'metadata')
      const refused: Record<string, string>[] = [
        { '': 'v' },
        { 'a b': 'v' },
        { 'a:b': 'v' },
        { ü: 'v' },
        { Twice: '1', twice: '2' },
        { number: 7 as unknown as string },
      ]
      for (const metadata of refused) {
        const what = `metadata ${JSON.stringify(metadata)}`
        await refusesUpload(
          scope,
          what,
          'invalid-argument',
          () => 'x',
          () => ({ metadata }),
        )
      }
    },
  },
  {
    id: 'write/metadata-values',
    title: 'values of metadata are kept exactly, odd and non-ASCII ones too, or refused as invalid-argument',
    covers: [30],
    needs: ['writable', 'metadata'],
    async run(scope) {
      for (const value of [
        'two  spaces   and three',
        'a,b;c="d"',
        '100%25',
        'Grüße ☺ 🙀',
        '=?UTF-8?Q?looks_encoded?=',
        '',
        ' leading',
        'trailing ',
        'line\nbreak',
      ]) {
        const key = scope.key('value.txt')
        const shown = JSON.stringify(value)
        const upload = () => scope.files.upload(key, 'x', { metadata: { value } })
        const plain = /^[\x21-\x7e]+(?: +[\x21-\x7e]+)*$/.test(value)
        try {
          await upload()
        } catch {
          ok(!plain, `metadata value ${shown} is refused`)
          await fails(upload, 'invalid-argument', `metadata value ${shown}`)
          await scope.isAbsent(key)
          continue
        }
        equal((await scope.files.info(key)).metadata?.value, value, `metadata value ${shown}`)
        await scope.remove(key)
      }
    },
  },
]
