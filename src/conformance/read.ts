import type { Download } from '../core/download.ts'
import type { ByteRange } from '../core/options.ts'
import { equal, fails, sameBytes } from './assertions.ts'
import { pattern } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

const SIZE = 1000

/** A case that reads one range of 1,000 bytes. */
function range(
  id: string,
  title: string,
  covers: number[],
  ranges: readonly ByteRange[],
  start: number,
  end: number,
): ConformanceCase {
  return {
    id: `read/${id}`,
    title,
    covers,
    async run(scope) {
      const key = scope.key('range.bin')
      const bytes = pattern(SIZE)
      await scope.put(key, bytes)
      for (const asked of ranges) {
        const download = await scope.files.download(key, { range: asked })
        const what = `range ${JSON.stringify(asked)} of ${JSON.stringify(key)}`
        sameBytes(await download.bytes(), bytes.subarray(start, end), what)
        equal(download.range, { offset: start, length: end - start }, `${what}: Download.range`)
        equal(download.info.size, SIZE, `${what}: info.size, the whole object's,`)
      }
    },
  }
}

/** Opens a range and gives its connection back. */
async function opened(scope: Scope, key: string, range: ByteRange): Promise<Download> {
  const download = await scope.files.download(key, { range })
  download.cancel()
  return download
}

async function refusesRange(scope: Scope, range: unknown, status?: number): Promise<void> {
  const key = scope.key('refused-range.bin')
  await scope.put(key, pattern(SIZE))
  const what = `range ${JSON.stringify(range)}`
  const error = await fails(
    async () => (await scope.files.download(key, { range: range as ByteRange })).bytes(),
    'invalid-argument',
    what,
  )
  if (status !== undefined) equal(error.status, status, `${what}: error.status`)
}

export const READ_CASES: readonly ConformanceCase[] = [
  {
    id: 'read/whole',
    title: 'reads the whole object in every form: bytes, text, JSON, iterated, web stream, Node stream',
    covers: [58],
    async run(scope) {
      const { files } = scope
      const key = scope.key('whole.json')
      const text = JSON.stringify({ name: 'Grüße', list: [1, 2, 3] })
      await scope.put(key, text)
      const bytes = Buffer.from(text)
      sameBytes(await (await files.download(key)).bytes(), bytes, 'bytes()')
      equal(await (await files.download(key)).text(), text, 'text()')
      equal(await (await files.download(key)).json(), JSON.parse(text), 'json()')
      const open = async () => await files.download(key)
      for (const [form, source] of [
        ['iteration', await open()],
        ['stream()', (await open()).stream() as unknown as AsyncIterable<Uint8Array>],
        ['nodeStream()', (await open()).nodeStream() as AsyncIterable<Uint8Array>],
      ] as const) {
        const chunks: Uint8Array[] = []
        for await (const chunk of source) chunks.push(chunk)
        sameBytes(Buffer.concat(chunks), bytes, form)
      }
      const taken = await open()
      await taken.text()
      await fails(() => taken.text(), 'invalid-argument', 'taking a body twice')
    },
  },
  range(
    'from-an-offset',
    'reads from an offset to the end',
    [59],
    [{ offset: 990 }, { start: 990 }, 'bytes=990-'],
    990,
    SIZE,
  ),
  range(
    'a-middle',
    'reads a middle; `end` is inclusive',
    [60],
    [{ offset: 10, length: 5 }, { start: 10, end: 14 }, 'bytes=10-14'],
    10,
    15,
  ),
  range(
    'one-byte',
    'reads the first byte and nothing more',
    [60],
    [{ offset: 0, length: 1 }, { start: 0, end: 0 }, 'bytes=0-0'],
    0,
    1,
  ),
  range('length-0', 'reads no bytes where the length is 0', [61], [{ offset: 10, length: 0 }], 10, 10),
  range('suffix', 'reads the last bytes', [62], [{ suffix: 7 }, 'bytes=-7'], SIZE - 7, SIZE),
  range(
    'suffix-larger-than-size',
    'reads everything where the suffix is larger than the object',
    [63],
    [{ suffix: SIZE + 1 }, 'bytes=-99999'],
    0,
    SIZE,
  ),
  {
    id: 'read/suffix-0',
    title: 'reads no bytes where the suffix is 0, also of an empty object',
    covers: [64],
    async run(scope) {
      for (const size of [SIZE, 0]) {
        const key = scope.key(`suffix-${size}.bin`)
        await scope.put(key, pattern(size))
        const download = await scope.files.download(key, { range: { suffix: 0 } })
        equal(download.info.size, size, 'info.size')
        equal((await download.bytes()).length, 0, 'bytes read')
      }
      const empty = await scope.files.download(scope.key('suffix-0.bin'), { range: { suffix: 5 } })
      equal((await empty.bytes()).length, 0, 'bytes of the last 5 of an empty object')
    },
  },
  range(
    'end-past-size-is-clipped',
    'clips an end past the size',
    [65],
    [
      { start: 995, end: 5000 },
      { offset: 995, length: 5000 },
    ],
    995,
    SIZE,
  ),
  {
    id: 'read/into-memory',
    title: 'reads the same bytes where the caller brings memory, whether or not that fits the range',
    covers: [60, 65],
    async run(scope) {
      const key = scope.key('into-memory.bin')
      const bytes = pattern(1_100_000)
      await scope.put(key, bytes)
      for (const [start, length, memory] of [
        [17, 1_000_000, 1_000_000],
        [0, 600_000, 600_000],
        [5, 10, 10],
        [17, 1_000_000, 999_999],
        [500_000, 1_000_000, 1_000_000],
      ] as const) {
        const range = { offset: start, length }
        const download = await scope.files.download(key, { range, into: new Uint8Array(memory) })
        const wanted = bytes.subarray(start, start + length)
        const what = `${length} bytes from ${start} into memory of ${memory}`
        sameBytes(await download.bytes(), wanted, what)
        equal(download.range, { offset: start, length: wanted.length }, `${what}: Download.range`)
        equal(download.info.size, bytes.length, `${what}: info.size, the whole object's,`)
      }
    },
  },
  {
    id: 'read/start-past-end',
    title: 'refuses a range that starts at the size or beyond as invalid-argument with status 416',
    covers: [66],
    async run(scope) {
      for (const asked of [{ offset: SIZE }, { offset: SIZE + 1, length: 1 }, { start: SIZE, end: SIZE + 5 }])
        await refusesRange(scope, asked, 416)
    },
  },
  {
    id: 'read/bad-ranges-are-refused',
    title: 'refuses ranges that are negative, fractions or upside down',
    covers: [67],
    async run(scope) {
      for (const asked of [
        { offset: -1 },
        { offset: 1, length: -1 },
        { start: -5 },
        { suffix: -1 },
        { offset: 0.5 },
        { start: 5, end: 4 },
        'bytes=5-4',
        'bytes=--5',
        'lines=0-5',
      ])
        await refusesRange(scope, asked)
    },
  },
  {
    id: 'read/several-ranges',
    title: 'reads several ranges side by side, and refuses several in one call',
    covers: [68],
    async run(scope) {
      const key = scope.key('several.bin')
      const bytes = pattern(300_000)
      await scope.put(key, bytes)
      const offsets = [0, 1, 65_535, 65_536, 131_072, 299_990]
      await Promise.all(
        offsets.map(async offset => {
          const download = await scope.files.download(key, { range: { offset, length: 100_000 } })
          const what = `100,000 bytes from ${offset}`
          sameBytes(await download.bytes(), bytes.subarray(offset, offset + 100_000), what)
        }),
      )
      await refusesRange(scope, 'bytes=0-1,4-5')
    },
  },
  {
    id: 'read/range-reports-whole-object',
    title: 'reports the size, etag and attributes of the whole object with a range',
    covers: [69],
    async run(scope) {
      const key = scope.key('report.txt')
      await scope.put(key, pattern(SIZE), { contentType: 'text/x-report' })
      const info = await scope.files.info(key)
      const range = { offset: 5, length: 5 }
      const { info: partial } = await opened(scope, key, range)
      equal(partial.size, SIZE, 'info.size')
      equal(partial.etag, info.etag, 'info.etag')
      equal(partial.contentType, 'text/x-report', 'info.contentType')
    },
  },
  {
    id: 'read/missing',
    title: 'fails as not-found with the key, for every method that reads',
    covers: [73],
    async run(scope) {
      const { files } = scope
      const key = scope.key('missing.txt')
      for (const [what, work] of [
        ['download', async () => (await files.download(key)).bytes()],
        [
          'download of a range',
          async () => (await files.download(key, { range: { offset: 1, length: 1 } })).bytes(),
        ],
        ['download of no bytes', async () => (await files.download(key, { range: { suffix: 0 } })).bytes()],
        ['info', () => files.info(key)],
      ] as const) {
        const error = await fails(work, 'not-found', `${what} of a missing object`)
        equal(error.key, key, `${what}: error.key`)
        equal(error.provider, files.name, `${what}: error.provider`)
      }
    },
  },
  {
    id: 'read/empty-is-not-missing',
    title: 'an empty object is there, and has no bytes',
    covers: [74],
    async run(scope) {
      const key = scope.key('empty.bin')
      await scope.put(key, new Uint8Array(0))
      await scope.holdsBytes(key, new Uint8Array(0))
      equal(await scope.names(), ['empty.bin'], 'keys')
    },
  },
]
