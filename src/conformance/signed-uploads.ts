import type { SignedUploadOptions } from '../core/options.ts'
import type { SignedUpload } from '../core/results.ts'
import { equal, fails, ok } from './assertions.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'
import { isRefused, withPathOf } from './signed-url-checks.ts'

/** Asks for a signed upload that lives for a minute, or as long as the store has it. */
function ask(scope: Scope, key: string, options: SignedUploadOptions = {}): Promise<SignedUpload> {
  const able = scope.capabilities.signedUpload
  return scope.files.signedUpload(key, {
    ...(able !== false && able.choosesExpiry ? { expiresIn: 60 } : {}),
    ...options,
  })
}

/** Does what a browser does with a signed upload. */
function send(
  scope: Scope,
  signed: SignedUpload,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  if (signed.method === 'PUT') {
    // Browsers set the length themselves and leave out one that a page gives.
    const { 'content-length': _, ...given } = signed.headers
    return scope.fetch(signed.url, { method: 'PUT', body, headers: { ...given, ...headers } })
  }
  const form = new FormData()
  for (const [name, value] of Object.entries(signed.fields)) form.append(name, value)
  form.append(
    'file',
    new Blob([body], { type: headers['content-type'] ?? signed.fields['Content-Type'] ?? '' }),
  )
  return scope.fetch(signed.url, { method: 'POST', body: form })
}

/** Whether what was sent becomes the object only when the backend says so. */
function finalizes(scope: Scope): boolean {
  const able = scope.capabilities.signedUpload
  return able !== false && able.finalizes
}

/** Sends `body` and finds it under `key`: at once, or when it has been finalized and not before. */
async function accepts(
  scope: Scope,
  signed: SignedUpload,
  key: string,
  body: string,
  what: string,
): Promise<void> {
  const wasThere = await scope.files.exists(key)
  const response = await send(scope, signed, body)
  ok(response.ok, `${what} answers ${response.status}: ${(await response.text()).slice(0, 200)}`)
  if (finalizes(scope)) {
    ok(signed.uploadId, `${what} has no uploadId to finalize it by`)
    if (!wasThere) await scope.isAbsent(key)
    await scope.given('finalize')(scope.files, key, signed)
  }
  await scope.holdsBytes(key, body)
}

export const SIGNED_UPLOAD_CASES: readonly ConformanceCase[] = [
  {
    id: 'signed-uploads/store',
    title: 'a signed upload stores under its key, and nothing under another',
    covers: [98, 103],
    needs: ['writable', 'signedUpload', 'fetch'],
    async run(scope) {
      const key = scope.key('upload.txt')
      const signed = await ask(scope, key)
      ok(signed.expiresAt.getTime() > (scope.context.now ?? Date.now)(), 'expiresAt is in the past')
      if (signed.method === 'PUT') {
        const other = await ask(scope, scope.key('uploads.txt'))
        const elsewhere = withPathOf(signed.url, other.url)
        const response = await scope.fetch(elsewhere, {
          method: 'PUT',
          body: 'x',
          headers: { ...signed.headers },
        })
        await isRefused(response, 'an upload to another key')
      }
      equal(await scope.names(), [], 'names')
      await accepts(scope, signed, key, 'from a browser', 'a signed upload')
    },
  },
  {
    id: 'signed-uploads/size',
    title: 'an upload signed for an exact size takes no other',
    covers: [],
    needs: ['writable', 'signedUpload:size', 'fetch'],
    async run(scope) {
      const key = scope.key('exact.txt')
      const signed = await ask(scope, key, { size: 5 })
      for (const body of ['four', 'sixsix', '']) {
        await isRefused(await send(scope, signed, body), `an upload of ${body.length} bytes, signed for 5,`)
        await scope.isAbsent(key)
      }
      await accepts(scope, signed, key, 'fives', 'an upload of 5 bytes')
    },
  },
  {
    id: 'signed-uploads/max-size',
    title: 'an upload signed for a largest size takes that and less, not more',
    covers: [],
    needs: ['writable', 'signedUpload:maxSize', 'fetch'],
    async run(scope) {
      const key = scope.key('at-most.txt')
      const signed = await ask(scope, key, { maxSize: 5 })
      await isRefused(await send(scope, signed, 'sixsix'), 'an upload of 6 bytes, signed for 5 at most,')
      await scope.isAbsent(key)
      await accepts(scope, signed, key, 'fives', 'an upload of 5 bytes')
      // One upload is finalized once.
      const next = finalizes(scope) ? await ask(scope, key, { maxSize: 5 }) : signed
      await accepts(scope, next, key, 'abc', 'an upload of 3 bytes')
    },
  },
  {
    id: 'signed-uploads/content-type',
    title: 'an upload signed for a type takes no other, and stores that',
    covers: [100],
    needs: ['writable', 'signedUpload:contentType', 'fetch'],
    async run(scope) {
      const key = scope.key('typed.txt')
      const signed = await ask(scope, key, { contentType: 'text/x-bound' })
      if (signed.method === 'PUT') {
        await isRefused(
          await send(scope, signed, 'x', { 'content-type': 'text/html' }),
          'an upload as text/html',
        )
        await scope.isAbsent(key)
      }
      await accepts(scope, signed, key, 'typed', 'an upload with the type that was signed')
      equal((await scope.files.info(key)).contentType, 'text/x-bound', 'contentType')
    },
  },
  {
    id: 'signed-uploads/expiry',
    title: 'the lifetime is the caller’s, checked as for URLs, or refused where the store has its own',
    covers: [101, 102],
    needs: ['writable', 'signedUpload'],
    async run(scope) {
      const key = scope.key('upload.txt')
      const able = scope.capabilities.signedUpload
      const signed = (expiresIn: number) => scope.files.signedUpload(key, { expiresIn })
      if (able !== false && !able.choosesExpiry) {
        await fails(() => signed(60), 'unsupported', 'choosing a lifetime, which is declared missing,')
        return
      }
      for (const expiresIn of [0, -1, 1.5, Number.NaN])
        await fails(() => signed(expiresIn), 'invalid-argument', `expiresIn ${expiresIn}`)
      const upload = await signed(60)
      if (scope.context.advance === undefined || scope.context.fetch === undefined) return
      scope.context.advance(62_000, scope.files)
      await isRefused(await send(scope, upload, 'late'), 'an upload after its time')
      await scope.isAbsent(key)
    },
  },
  {
    id: 'signed-uploads/bad-options-are-refused',
    title: 'sizes that are none, both sizes at once and types that are none are refused',
    covers: [],
    needs: ['writable', 'signedUpload'],
    async run(scope) {
      for (const options of [
        { size: -1 },
        { maxSize: 1.5 },
        { size: 1, maxSize: 2 },
        { contentType: 'none' },
        { acl: 'x' },
      ]) {
        const call = () => ask(scope, scope.key('x'), options as SignedUploadOptions)
        await fails(call, ['invalid-argument', 'unsupported'], `signedUpload(${JSON.stringify(options)})`)
      }
    },
  },
]
