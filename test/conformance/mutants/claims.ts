import { memory } from '../../../src/adapters/memory.ts'
import { ANY_KEY } from '../../../src/core/keys.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { lying, type Mutant, renaming, SIGNING, soundContext, wrong } from './mutant.ts'

const URLS = {
  methods: ['GET', 'HEAD', 'PUT', 'DELETE'],
  checksExistence: false,
  bindsContentType: true,
  bindsDownload: true,
} as const

/** Capabilities kept and not claimed. */
const MODEST: readonly Mutant[] = [
  lying('keeps create-only without saying so', ['conditional/create-only'], { createOnly: false }),
  lying('keeps ifMatch of upload without saying so', ['conditional/replace'], { conditionalReplace: false }),
  lying('keeps conditions of reads without saying so', ['conditional/download'], { conditionalRead: false }),
  lying('keeps ifMatch of copy without saying so', ['conditional/copy-source'], {
    conditionalCopySource: false,
  }),
  lying('keeps create-only copies without saying so', ['conditional/copy-create-only'], {
    createOnlyCopy: false,
  }),
  lying('keeps ifMatch of delete without saying so', ['conditional/delete'], { conditionalDelete: false }),
  lying('keeps metadata without saying so', ['write/metadata-names'], { metadata: false }),
  lying('keeps cache-control without saying so', ['write/cache-control'], { cacheControl: false }),
  lying('signs URLs without saying so', ['signed-urls/serve'], { signedUrl: false }),
  lying('signs DELETE without saying so', ['signed-urls/delete'], {
    signedUrl: { ...URLS, methods: ['GET'] },
  }),
  lying('signs uploads without saying so', ['signed-uploads/store'], { signedUpload: false }),
  lying('has public addresses without saying so', ['calls/public-url'], { publicUrl: false }),
  lying('tells what was missing without saying so', ['delete/missing-is-ok'], {
    deleteReportsMissing: false,
  }),
  lying('reports checksums without saying so', ['info/checksum'], { checksums: [] }),
  lying('holds empty segments without saying so', ['keys/slashes'], {
    keys: { ...ANY_KEY, emptySegments: false },
  }),
  lying('holds file and folder without saying so', ['keys/file-and-folder'], {
    keys: { ...ANY_KEY, fileAndFolder: false },
  }),
  lying('tells cases apart without saying so', ['keys/case'], { keys: { ...ANY_KEY, caseSensitive: false } }),
  lying('tells forms apart without saying so', ['keys/normalization'], {
    keys: { ...ANY_KEY, normalizationSensitive: false },
  }),
  lying('holds more characters than it says', ['keys/unicode'], {
    keys: { ...ANY_KEY, allowed: /^[\x20-\x7e]*$/ },
  }),
  lying('holds longer keys than it says', ['keys/lengths'], { keys: { ...ANY_KEY, maxBytes: 500 } }),
  lying('holds longer segments than it says', ['keys/lengths'], {
    keys: { ...ANY_KEY, maxSegmentBytes: 100 },
  }),
  lying('binds the type of a URL without saying so', ['signed-urls/bound-to-content-type'], {
    signedUrl: { ...URLS, bindsContentType: false },
  }),
  lying('signs the name to save under without saying so', ['signed-urls/download-name-is-signed'], {
    signedUrl: { ...URLS, bindsDownload: false },
  }),
]

/** Capabilities claimed and not kept; those of conditions are among the mutants of writing and reading. */
const BOASTING: readonly Mutant[] = [
  lying('claims a storage class', ['calls/storage-class'], { storageClass: true }),
  lying('claims that signing tells what is missing', ['calls/sign-missing'], {
    signedUrl: { ...URLS, checksExistence: true },
  }),
  lying('claims longer keys', ['keys/lengths'], { keys: { ...ANY_KEY, maxBytes: 2048 } }),
  lying('leaves a capability unknown after its probe', ['calls/probe'], { createOnly: 'unknown' }),
  renaming('claims keys that it mixes up', ['keys/case'], key => key.toUpperCase()),
  wrong('claims metadata and drops it', ['write/metadata-names', 'write/metadata-values'], inner => ({
    upload: (key, body, { metadata: _, ...options } = {}) => inner.upload(key, body, options),
  })),
  wrong('claims headers and drops them', ['write/cache-control', 'write/content-disposition'], inner => ({
    upload: (key, body, { cacheControl: _, contentDisposition: __, ...options } = {}) =>
      inner.upload(key, body, options),
  })),
  wrong('claims a checksum of every object', ['info/checksum-always'], inner => ({
    async info(key, options) {
      const { checksum: _, ...info } = await inner.info(key, options)
      return info
    },
  })),
  wrong('has no location', ['calls/location'], () => ({ location: '' })),
  wrong('shows the secret in its location', ['calls/location-holds-no-secret'], inner => ({
    location: `${inner.location}?secret=${SIGNING.secret}`,
    async signedUrl(key, options) {
      const signed = await inner.signedUrl(key, options)
      return { ...signed, url: `${signed.url}&secret=${encodeURIComponent(SIGNING.secret)}` }
    },
  })),
  {
    title: 'has another location in each process',
    caughtBy: ['calls/location-of-another'],
    context: {
      ...soundContext(),
      another: files => forward(files, { location: `${files.location}2`, close: async () => {} }),
    },
  },
  {
    title: 'has one location for two buckets',
    caughtBy: ['calls/location-of-another-bucket'],
    context: {
      ...soundContext(),
      create: () => forward(memory(), { location: 'memory' }),
      createMissingBucket: () => forward(memory(), { location: 'memory' }),
    },
  },
  wrong('works on after close', ['calls/close'], () => ({ close: async () => {} })),
  wrong('lets misspelt options pass', ['calls/unknown-options-are-refused'], inner => ({
    upload: (key, body, options = {}) => {
      const { contentTpye: _, ...known } = options as { contentTpye?: string }
      return inner.upload(key, body, known)
    },
  })),
]

/** URLs that allow more, or less, than was signed. */
const SERVING: readonly Mutant[] = [
  {
    title: 'serves URLs that have expired',
    caughtBy: ['signed-urls/expire', 'signed-uploads/expiry'],
    context: soundContext({ now: () => 0 }),
  },
  {
    title: 'serves everything without a signature',
    caughtBy: ['signed-urls/without-query'],
    context: soundContext({ public: '' }),
  },
  {
    title: 'takes a URL for every method',
    caughtBy: ['signed-urls/bound-to-method'],
    context: overServer((url, { body, ...init }, serve) => {
      const method = new URL(url).searchParams.get('method') ?? 'GET'
      return serve(url, { ...init, method, ...(method === 'PUT' ? { body: body ?? '' } : {}) })
    }),
  },
  {
    title: 'takes every type for the one that was signed',
    caughtBy: ['signed-urls/bound-to-content-type', 'signed-uploads/content-type'],
    context: overServer((url, init, serve) => {
      const type = new URL(url).searchParams.get('contentType')
      return serve(url, {
        ...init,
        headers: { ...(init.headers as object), ...(type ? { 'content-type': type } : {}) },
      })
    }),
  },
  {
    title: 'saves under the name of the key whatever was asked',
    caughtBy: ['signed-urls/download-name'],
    context: overServer(async (url, init, serve) => {
      const response = await serve(url, init)
      const headers = new Headers(response.headers)
      headers.set('content-disposition', 'attachment')
      return new Response(response.body, { status: response.status, headers })
    }),
  },
  wrong('hands out a URL that it has handed out before, for ever', ['signed-urls/asked-again'], inner => {
    let first: ReturnType<typeof inner.signedUrl> | undefined
    return {
      signedUrl(key, options) {
        first ??= inner.signedUrl(key, options)
        return first
      },
    }
  }),
  wrong('takes any lifetime', ['signed-urls/lifetimes'], inner => ({
    signedUrl: (key, options) =>
      inner.signedUrl(key, { ...options, expiresIn: Math.max(1, options?.expiresIn || 1) }),
  })),
]

type Serve = (url: string, init: RequestInit) => Promise<Response>

/** Memory behind a server that is told something else than was sent. */
function overServer(change: (url: string, init: RequestInit, serve: Serve) => Promise<Response>) {
  const sound = soundContext()
  return {
    ...sound,
    fetch: (url: string, init: RequestInit, files: Parameters<NonNullable<typeof sound.fetch>>[2]) =>
      change(url, init, (to, as) => sound.fetch!(to, as, files)),
  }
}

function writingReadOnly(): Mutant {
  const inner = memory()
  const capabilities = { ...inner.capabilities, writable: false }
  return {
    title: 'writes though it is read-only',
    caughtBy: ['write/empty', 'copy/keeps-everything'],
    context: {
      ...soundContext(),
      create: () => forward(inner, { capabilities, close: async () => {} }),
      writer: () => inner,
    },
  }
}

export const CLAIM_MUTANTS: readonly Mutant[] = [...MODEST, writingReadOnly(), ...BOASTING, ...SERVING]
