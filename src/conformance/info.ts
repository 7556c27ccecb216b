import { type ChecksumAlgorithm, COMPUTED_ALGORITHMS, digest, isComputed } from '../core/checksum.ts'
import { equal, fails, ok } from './assertions.ts'
import { atOnce } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'

/** Published sums of `abc`: FIPS 180-2, RFC 1321; the CRC as zlib computes it. */
const SUMS_OF_ABC: Partial<Record<ChecksumAlgorithm, string>> = {
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  md5: '900150983cd24fb0d6963f7d28e17f72',
  crc32: '352441c2',
}

export const INFO_CASES: readonly ConformanceCase[] = [
  {
    id: 'info/attributes',
    title: 'info tells size, etag and a time of change that is within 30 s of now and never goes back',
    covers: [75],
    async run(scope) {
      const now = scope.context.now ?? Date.now
      const key = scope.key('info.txt')
      let last = 0
      for (const body of ['one', 'three', 'seven']) {
        await scope.put(key, body)
        const info = await scope.files.info(key)
        equal([info.key, info.size], [key, body.length], 'key and size')
        ok(info.etag, 'etag is missing')
        ok(info.lastModified instanceof Date, `lastModified is ${info.lastModified}, should be a Date`)
        const changed = info.lastModified.getTime()
        ok(
          Math.abs(changed - now()) <= 30_000,
          `lastModified is ${Math.abs(changed - now())} ms away from now`,
        )
        ok(changed >= last, 'lastModified goes back when the object is overwritten')
        last = changed
      }
    },
  },
  {
    id: 'info/clock',
    title: "the store's clock is the one that lastModified is made by, to within two seconds, and goes on",
    covers: [],
    async run(scope) {
      const key = scope.key('now.txt')
      const before = (await scope.files.clock()).getTime()
      await scope.put(key, 'now')
      const changed = (await scope.files.info(key)).lastModified?.getTime() ?? Number.NaN
      const after = (await scope.files.clock()).getTime()
      ok(after >= before, `the clock goes back, from ${before} to ${after}`)
      ok(
        changed >= before - 2000 && changed <= after + 2000,
        `lastModified is ${changed}, should be between ${before} and ${after} by the store's clock`,
      )
    },
  },
  {
    id: 'info/checksum',
    title:
      'a checksum of a declared algorithm that was asked for equals a known one; others are not reported',
    covers: [76],
    needs: ['writable'],
    async run(scope) {
      for (const algorithm of COMPUTED_ALGORITHMS) {
        const key = scope.key(`${algorithm}.txt`)
        await scope.files.upload(key, 'abc', { checksum: algorithm })
        const { checksum } = await scope.files.info(key)
        if (scope.capabilities.checksums.includes(algorithm))
          equal(checksum, { algorithm, value: SUMS_OF_ABC[algorithm]! }, `checksum of 'abc' by ${algorithm}`)
        else ok(checksum?.algorithm !== algorithm, `checksum by ${algorithm} is kept though not declared`)
      }
    },
  },
  {
    id: 'info/checksum-always',
    title: 'a checksum is reported without asking where that is declared; one that is reported is right',
    covers: [76],
    async run(scope) {
      const key = scope.key('plain.txt')
      await scope.put(key, 'abc')
      const { checksum } = await scope.files.info(key)
      if (scope.capabilities.checksumAlways) ok(checksum, 'checksumAlways is declared, and none is reported')
      if (checksum === undefined || !isComputed(checksum.algorithm)) return
      equal(
        checksum.value,
        digest(checksum.algorithm, Buffer.from('abc')),
        `checksum by ${checksum.algorithm}`,
      )
    },
  },
  {
    id: 'info/many-in-order',
    title: 'infoMany gives a result or an error per key, in order, however many there are',
    covers: [75],
    async run(scope) {
      const keys = Array.from({ length: 40 }, (_, n) => scope.key(`many/${n}.txt`))
      const stored = keys.filter((_, n) => n % 4 !== 1)
      await atOnce(stored, async key => void (await scope.put(key)))
      const results = await scope.files.infoMany([...keys, ''])
      equal(
        results.map(result => result.key),
        [...keys, ''],
        'keys of the results',
      )
      for (const result of results) {
        if (stored.includes(result.key))
          ok(
            result.ok && result.value.key === result.key && result.value.size === result.key.length,
            `info of ${result.key}`,
          )
        else if (result.ok) ok(false, `info of ${result.key}, which is missing, succeeds`)
        else
          equal(
            result.error.code,
            result.key === '' ? 'invalid-key' : 'not-found',
            `error of '${result.key}'`,
          )
      }
      const listed = await scope.files.infoMany(scope.files.list({ prefix: scope.prefix }))
      equal(listed.filter(result => result.ok).length, stored.length, 'number of results for a list')
    },
  },
  {
    id: 'info/missing-bucket',
    title:
      'a missing bucket is not-found of the bucket for info and download, and no missing object for exists',
    covers: [77],
    needs: ['createMissingBucket'],
    async run(outer) {
      const scope = await outer.host('createMissingBucket')
      const { files } = scope
      const key = scope.key('nowhere.txt')
      for (const [what, work] of [
        ['info', () => files.info(key)],
        ['download', async () => (await files.download(key)).bytes()],
        ['exists', () => files.exists(key)],
      ] as const) {
        const error = await fails(work, 'not-found', `${what} in a missing bucket`)
        equal(error.resource, 'bucket', `${what}: error.resource`)
      }
    },
  },
  {
    id: 'write/missing-bucket',
    title: 'an upload to a missing bucket is not-found',
    covers: [77],
    needs: ['createMissingBucket'],
    async run(outer) {
      const scope = await outer.host('createMissingBucket')
      await fails(() => scope.put(scope.key('nowhere.txt')), 'not-found', 'upload to a missing bucket')
    },
  },
  {
    id: 'list/missing-bucket',
    title: 'a list of a missing bucket is not-found, and not empty',
    covers: [77],
    needs: ['createMissingBucket'],
    async run(outer) {
      const scope = await outer.host('createMissingBucket')
      await fails(() => scope.names(), 'not-found', 'list of a missing bucket')
    },
  },
]
