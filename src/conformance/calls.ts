import type { CapabilitySwitch } from '../core/capabilities.ts'
import { equal, fails, ok } from './assertions.ts'
import { streamOf } from './bodies.ts'
import { CAPABILITY_NEEDS, type CapabilityNeed, refusesMissing } from './capability-needs.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

type Options = Record<string, unknown>

/** Every method that takes options, as a call with these. */
function everyCall(scope: Scope, extra: Options): [string, () => unknown][] {
  const { files, capabilities } = scope
  const key = scope.key('call.txt')
  const calls: [string, () => unknown][] = [
    ['probe', () => files.probe(extra)],
    ['download', () => files.download(key, extra)],
    ['info', () => files.info(key, extra)],
    ['infoMany', () => files.infoMany([key], extra)],
    ['exists', () => files.exists(key, extra)],
    ['list', async () => (await files.list(extra).page()).items],
    ['page', () => files.list().page(extra)],
    ['clock', () => files.clock(extra)],
  ]
  if (capabilities.writable) {
    calls.push(
      ['upload', () => files.upload(key, 'new', extra)],
      ['copy', () => files.copy(key, scope.key('copy.txt'), extra)],
      ['move', () => files.move(key, scope.key('moved.txt'), extra)],
      ['delete', () => files.delete(key, extra)],
      ['deleteMany', () => files.deleteMany([key], extra)],
    )
  }
  if (capabilities.resumableUpload && capabilities.writable) {
    const source = { size: 3, read: async () => Buffer.from('new') }
    calls.push(['uploadResumable', () => files.uploadResumable(key, source, extra)])
  }
  if (capabilities.unfinishedUploads) {
    calls.push([
      'unfinishedUploads',
      async () => {
        for await (const _ of files.unfinishedUploads({ prefix: key, ...extra })) return
      },
    ])
    if (capabilities.writable) calls.push(['abortUpload', () => files.abortUpload(key, 'an-upload', extra)])
  }
  if (capabilities.signedUrl !== false)
    calls.push(
      ['signedUrl', () => files.signedUrl(key, { expiresIn: 60, ...extra })],
      ['signedUrls', () => files.signedUrls([key], { expiresIn: 60, ...extra })],
    )
  if (capabilities.signedUpload !== false) {
    const lifetime = capabilities.signedUpload.choosesExpiry ? { expiresIn: 60 } : {}
    calls.push(['signedUpload', () => files.signedUpload(key, { ...lifetime, ...extra })])
  }
  return calls
}

async function refusesEverywhere(
  scope: Scope,
  extra: Options,
  code: 'invalid-argument' | 'aborted',
): Promise<void> {
  const key = scope.key('call.txt')
  await scope.put(key, 'as it was')
  for (const [method, call] of everyCall(scope, extra)) {
    await fails(call, code, `${method} with ${Object.keys(extra)}`)
    await scope.holdsBytes(key, 'as it was')
    equal(await scope.names(), ['call.txt'], `names after ${method}`)
  }
}

export const CALL_CASES: readonly ConformanceCase[] = [
  {
    id: 'calls/unknown-options-are-refused',
    title: 'an option that is not known, a slip of the pen say, is refused by every method',
    covers: [],
    run: scope => refusesEverywhere(scope, { contentTpye: 'text/plain' }, 'invalid-argument'),
  },
  {
    id: 'calls/aborted-before',
    title: 'every method that is called with an aborted signal ends as aborted and does nothing',
    covers: [33],
    run: scope => refusesEverywhere(scope, { signal: AbortSignal.abort() }, 'aborted'),
  },
  {
    id: 'calls/bad-timeouts-are-refused',
    title: 'a timeoutMs that is no time is refused by every method',
    covers: [],
    async run(scope) {
      for (const timeoutMs of [0, -1, '5']) await refusesEverywhere(scope, { timeoutMs }, 'invalid-argument')
    },
  },
  {
    id: 'calls/bodies-that-are-none',
    title: 'a body that is none is refused as invalid-argument, nothing is stored or lost',
    covers: [],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('body.txt')
      await scope.put(key, 'as it was')
      for (const body of [
        undefined,
        null,
        7,
        {},
        [1, 2],
        (async function* () {
          yield 7
        })(),
      ] as never[]) {
        await fails(() => scope.files.upload(key, body), 'invalid-argument', `a body that is ${String(body)}`)
        await scope.holdsBytes(key, 'as it was')
      }
    },
  },
  {
    id: 'calls/errors-name-their-call',
    title: 'errors name operation, key and provider',
    covers: [73],
    async run(scope) {
      const key = scope.key('missing.txt')
      const error = await fails(() => scope.files.info(key), 'not-found', 'info of a missing object')
      equal(
        [error.operation, error.key, error.provider],
        ['info', key, scope.files.name],
        'operation, key, provider',
      )
      equal(error.retryable, false, 'retryable')
    },
  },
  {
    id: 'calls/probe',
    title: 'after probe no capability is unknown, asking again says the same, and nothing is left behind',
    covers: [57],
    async run(scope) {
      const unknown = Object.entries(scope.capabilities).filter(([, value]) => value === 'unknown')
      equal(
        unknown.map(([name]) => name),
        [],
        'capabilities that are unknown',
      )
      const before = JSON.stringify(scope.capabilities)
      equal(JSON.stringify(await scope.files.probe()), before, 'capabilities after another probe')
      equal(await scope.names({ prefix: '.stowage-probe' }), [], 'what the probe left behind')
    },
  },
  {
    id: 'calls/missing-capabilities-are-refused',
    title: 'what is declared missing is refused as unsupported by every method, before anything is done',
    covers: [57],
    async run(scope) {
      for (const need of Object.keys(CAPABILITY_NEEDS) as CapabilityNeed[])
        if (!CAPABILITY_NEEDS[need].has(scope.capabilities)) await refusesMissing(need, scope)
    },
  },
  {
    id: 'calls/storage-class',
    title: 'a storage class is taken where that is declared',
    covers: [],
    needs: ['writable', 'storageClass'] satisfies CapabilitySwitch[],
    async run(scope) {
      const key = scope.key('class.txt')
      await scope.files.upload(key, 'content', { storageClass: 'STANDARD' })
      const { storageClass = 'STANDARD' } = await scope.files.info(key)
      equal(storageClass, 'STANDARD', 'storageClass')
    },
  },
  {
    id: 'calls/too-large',
    title: 'a body declared larger than the most bytes is refused as too-large before it is read',
    covers: [],
    needs: ['writable'],
    async run(scope) {
      const { maxObjectBytes } = scope.capabilities
      if (maxObjectBytes === undefined) return
      let read = false
      const body = (async function* () {
        read = true
        yield* streamOf(new Uint8Array(10))
      })()
      const upload = () =>
        scope.files.upload(scope.key('large.bin'), body, { size: maxObjectBytes + 1, contentType: 'a/b' })
      await fails(upload, 'too-large', `a body of ${maxObjectBytes + 1} bytes`)
      ok(!read, 'the body was read')
      await scope.isAbsent(scope.key('large.bin'))
    },
  },
  {
    id: 'calls/public-url',
    title: 'publicUrl gives an address with the encoded key, without a request',
    covers: [],
    needs: ['publicUrl'],
    async run(scope) {
      for (const name of ['plain.txt', 'two words & more.txt', '100%25.txt', 'a#b?c.txt']) {
        const key = scope.key(name)
        if (!scope.holds(key)) continue
        const { pathname, search, hash } = new URL(scope.files.publicUrl(key))
        ok(
          decodeURIComponent(pathname).endsWith(`/${key}`),
          `publicUrl of ${JSON.stringify(key)} is ${pathname}`,
        )
        equal([search, hash], ['', ''], 'query and fragment')
      }
    },
  },
  {
    id: 'calls/sign-missing',
    title: 'signing a missing object is not-found, or a URL that answers 404, as declared',
    covers: [93],
    needs: ['signedUrl:GET'],
    async run(scope) {
      const able = scope.capabilities.signedUrl
      const key = scope.key('missing.txt')
      const [result] = await scope.files.signedUrls([key], { expiresIn: 60 })
      if (able !== false && able.checksExistence) {
        await fails(
          () => scope.files.signedUrl(key, { expiresIn: 60 }),
          'not-found',
          'signing a missing object',
        )
        ok(
          result !== undefined && !result.ok && result.error.code === 'not-found',
          'signedUrls signs a missing object',
        )
        return
      }
      ok(result?.ok, 'signing a missing object fails, though existence is declared not to be checked')
      const { url } = await scope.files.signedUrl(key, { expiresIn: 60 })
      if (scope.context.fetch !== undefined) equal((await scope.fetch(url)).status, 404, 'status of the URL')
    },
  },
  {
    id: 'calls/another-sees-it',
    title: 'what one provider stored or deleted, another over the same scope sees at once',
    covers: [88],
    needs: ['writable', 'another'],
    async run(scope) {
      const other = await scope.another()
      const key = scope.key('shared.txt')
      for (const body of ['first', 'second']) {
        await scope.files.upload(key, body)
        await scope.holdsBytes(key, body, other)
        equal(await scope.names({}, other), ['shared.txt'], 'names seen by the other')
      }
      await other.delete(key)
      await scope.isAbsent(key)
    },
  },
  {
    id: 'calls/close',
    title: 'after close every method is refused as invalid-argument; closing twice is fine',
    covers: [],
    async run(scope) {
      await scope.put(scope.key('call.txt'))
      const calls = everyCall(scope, {})
      await scope.files.close()
      await scope.files.close()
      if (scope.capabilities.publicUrl) calls.push(['publicUrl', () => scope.files.publicUrl('call.txt')])
      for (const [method, call] of calls) await fails(call, 'invalid-argument', `${method} after close`)
    },
  },
]
