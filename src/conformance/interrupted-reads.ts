import { isStorageError } from '../core/errors.ts'
import { equal, fails, ok, sameBytes } from './assertions.ts'
import { pattern } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { Scope } from './scope.ts'

const MEBIBYTE = 2 ** 20

async function readAll(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (;;) {
    const { value, done } = await chunks.next()
    if (done) return Buffer.concat(parts)
    parts.push(Uint8Array.from(value))
  }
}

/** Some stores let a writer wait until the readers are done, which is as good as keeping the old bytes for them. */
async function unlessReadersAreWaitedFor(change: Promise<unknown>): Promise<void> {
  await change.catch(error => {
    if (!isStorageError(error, 'timeout')) throw error
  })
}

export const INTERRUPTED_READ_CASES: readonly ConformanceCase[] = [
  {
    id: 'read/closed-early',
    title: 'a hundred bodies that are closed early, in every form, free their connections',
    covers: [70],
    async run(scope) {
      const { files } = scope
      const key = scope.key('large.bin')
      const bytes = pattern(2 * MEBIBYTE)
      await scope.put(key, bytes)
      // More than any client keeps connections for: one that is not freed makes a later read wait for ever.
      for (let n = 0; n < 25; n++) {
        const iterated = await files.download(key)
        for await (const _ of iterated) break
        const stream = (await files.download(key)).stream().getReader()
        await stream.read()
        await stream.cancel()
        const node = (await files.download(key)).nodeStream()
        for await (const _ of node) break
        const unread = await files.download(key)
        unread.cancel()
        unread.cancel()
      }
      sameBytes(
        await (await files.download(key, { timeoutMs: 10_000 })).bytes(),
        bytes,
        'the object read afterwards',
      )
    },
  },
  {
    id: 'read/aborted',
    title: 'a signal that is aborted while a body is read ends it as aborted',
    covers: [70],
    async run(scope) {
      const key = scope.key('aborted.bin')
      await scope.put(key, pattern(8 * MEBIBYTE))
      const controller = new AbortController()
      const download = await scope.files.download(key, { signal: controller.signal })
      const chunks = download[Symbol.asyncIterator]()
      await chunks.next()
      controller.abort()
      await fails(() => readAll(chunks), 'aborted', 'reading on after the abort')
      await fails(
        () => scope.files.download(key, { signal: controller.signal }),
        'aborted',
        'a download already aborted',
      )
    },
  },
  {
    id: 'read/cut-in-the-body',
    title:
      'a connection that breaks in the middle of a body is resumed or fails: short data is never success',
    covers: [71],
    needs: ['createCut'],
    async run(outer) {
      const key = outer.key('cut.bin')
      const bytes = pattern(MEBIBYTE)
      const scope = await Scope.open(outer.context, outer.given('createCut')(key, bytes), { probe: false })
      try {
        const download = () => scope.files.download(key, { timeoutMs: 10_000 })
        for (const [form, read] of [
          ['bytes()', async () => (await download()).bytes()],
          ['iteration', async () => readAll((await download())[Symbol.asyncIterator]())],
        ] as const) {
          const outcome = await read().catch(error => error as unknown)
          if (outcome instanceof Uint8Array)
            sameBytes(outcome, bytes, `${form} over a connection that breaks`)
          else ok(isStorageError(outcome, 'unavailable', 'timeout'), `${form} fails as ${String(outcome)}`)
        }
      } finally {
        await scope.close()
      }
    },
  },
  {
    id: 'read/overwritten-meanwhile',
    title: 'an object overwritten during a long read gives the old bytes or an error, never a splice',
    covers: [72],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('overwritten.bin')
      const before = pattern(12 * MEBIBYTE, 1)
      await scope.put(key, before)
      const chunks = (await scope.files.download(key))[Symbol.asyncIterator]()
      const first = await chunks.next()
      await unlessReadersAreWaitedFor(scope.put(key, pattern(12 * MEBIBYTE, 2), { timeoutMs: 1000 }))
      const rest = await readAll(chunks).catch(error => error as unknown)
      if (rest instanceof Uint8Array)
        sameBytes(
          Buffer.concat([first.value as Uint8Array, rest]),
          before,
          'bytes read while they were overwritten',
        )
      else ok(isStorageError(rest), `reading on fails as ${String(rest)}, which is no StorageError`)
    },
  },
  {
    id: 'read/deleted-meanwhile',
    title: 'an object deleted during a long read gives the old bytes or an error, never fewer',
    covers: [72],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('deleted.bin')
      const before = pattern(4 * MEBIBYTE)
      await scope.put(key, before)
      const chunks = (await scope.files.download(key))[Symbol.asyncIterator]()
      const first = await chunks.next()
      await unlessReadersAreWaitedFor(scope.files.delete(key, { timeoutMs: 1000 }))
      const rest = await readAll(chunks).catch(error => error as unknown)
      if (rest instanceof Uint8Array)
        equal(first.value.length + rest.length, before.length, 'number of bytes read')
      else ok(isStorageError(rest), `reading on fails as ${String(rest)}, which is no StorageError`)
    },
  },
]
