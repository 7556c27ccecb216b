/** What was asked of supabase-js for each `sdk:` recording. */
import type { StorageClient } from './supabase-clients.ts'

const text = (value: string) => Buffer.from(value)
const zeros = (size: number) => Buffer.alloc(size)
const stream = (bytes: Buffer) => new Blob([new Uint8Array(bytes)]).stream()
const PLAIN = { contentType: 'text/plain' }

type Call = (clients: {
  service: StorageClient
  anon: StorageClient
  stranger: StorageClient
  nobody: StorageClient
}) => unknown

/** Tokens that one call answers and a later one sends. */
let uploadToken = ''

export const SDK_CALLS: Record<string, Call> = {
  createBucket: ({ service }) =>
    service.createBucket('cc-priv', {
      public: false,
      fileSizeLimit: 1_000_000,
      allowedMimeTypes: ['text/plain', 'application/octet-stream', 'image/*'],
    }),
  'createBucket.public': ({ service }) => service.createBucket('cc-pub', { public: true }),
  'createBucket.dup': ({ service }) => service.createBucket('cc-priv', { public: false }),
  getBucket: ({ service }) => service.getBucket('cc-priv'),
  'deleteBucket.nonempty': ({ service }) => service.deleteBucket('cc-pub'),
  'upload.buffer': ({ service }) =>
    service.from('cc-priv').upload('a/b.txt', text('hello'), { ...PLAIN, metadata: { x: 1, s: 'é' } }),
  'upload.dup': ({ service }) => service.from('cc-priv').upload('a/b.txt', text('hello'), PLAIN),
  'upload.upsert': ({ service }) =>
    service.from('cc-priv').upload('a/b.txt', text('hello2'), { ...PLAIN, upsert: true, metadata: { x: 2 } }),
  'upload.blob': ({ service }) =>
    service.from('cc-priv').upload('a/blob.txt', new Blob(['blobby'], { type: 'text/plain' }), {
      cacheControl: '60',
      metadata: { via: 'blob' },
    }),
  'upload.stream': ({ service }) =>
    service.from('cc-priv').upload('a/stream.txt', stream(text('streamed')), { ...PLAIN, duplex: 'half' }),
  'upload.stream-too-large(limit 1000000)': ({ service }) =>
    service.from('cc-priv').upload('a/stream-big.bin', stream(zeros(1_500_000)), {
      contentType: 'application/octet-stream',
      duplex: 'half',
    }),
  'info.stream-too-large': ({ service }) => service.from('cc-priv').info('a/stream-big.bin'),
  'upload.too-large': ({ service }) =>
    service
      .from('cc-priv')
      .upload('a/big.bin', zeros(1_500_000), { contentType: 'application/octet-stream' }),
  'upload.wrongmime': ({ service }) =>
    service.from('cc-priv').upload('a/x.pdf', text('x'), { contentType: 'application/pdf' }),
  'upload.nobucket': ({ service }) => service.from('cc-nope').upload('a', text('x'), PLAIN),
  'upload.default-contenttype': ({ service }) => service.from('cc-priv').upload('a/default', text('x')),
  'upload.leading-slash': ({ service }) => service.from('cc-priv').upload('/lead//ing/', text('x'), PLAIN),
  'upload.space+plus': ({ service }) => service.from('cc-priv').upload('sp ace+plus?q.txt', text('x'), PLAIN),
  'upload.hash': ({ service }) => service.from('cc-priv').upload('ha#sh.txt', text('hashbody'), PLAIN),
  'upload.percent': ({ service }) => service.from('cc-priv').upload('pe%20rc.txt', text('x'), PLAIN),
  'upload.dotdot': ({ service }) => service.from('cc-priv').upload('x/../y.txt', text('x'), PLAIN),
  'upload.unicode': ({ service }) => service.from('cc-priv').upload('é.txt', text('x'), PLAIN),
  'update.missing': ({ service }) => service.from('cc-priv').update('a/never.txt', text('x'), PLAIN),
  info: ({ service }) => service.from('cc-priv').info('a/b.txt'),
  'info.missing': ({ service }) => service.from('cc-priv').info('a/nope.txt'),
  'exists.true': ({ service }) => service.from('cc-priv').exists('a/b.txt'),
  'exists.false': ({ service }) => service.from('cc-priv').exists('a/nope.txt'),
  'exists.missing-bucket': ({ service }) => service.from('cc-nope').exists('a'),
  'exists.anon': ({ anon }) => anon.from('cc-priv').exists('a/b.txt'),
  download: ({ service }) => service.from('cc-priv').download('a/b.txt'),
  'download.missing': ({ service }) => service.from('cc-priv').download('a/nope.txt'),
  'download.asStream': ({ service }) => service.from('cc-priv').download('a/b.txt').asStream(),
  createSignedUrl: ({ service }) => service.from('cc-priv').createSignedUrl('a/b.txt', 60),
  'createSignedUrl.download': ({ service }) =>
    service.from('cc-priv').createSignedUrl('a/b.txt', 60, { download: 'n é.txt' }),
  'createSignedUrl.download-true': ({ service }) =>
    service.from('cc-priv').createSignedUrl('a/b.txt', 60, { download: true }),
  'createSignedUrl.transform': ({ service }) =>
    service.from('cc-priv').createSignedUrl('a/b.txt', 60, { transform: { width: 10 } }),
  'createSignedUrl.missing': ({ service }) => service.from('cc-priv').createSignedUrl('a/nope.txt', 60),
  'createSignedUrl.space': ({ service }) => service.from('cc-priv').createSignedUrl('sp ace+plus?q.txt', 60),
  createSignedUrls: ({ service }) =>
    service.from('cc-priv').createSignedUrls(['a/b.txt', 'nope', '/a/b.txt'], 60, { download: true }),
  'createSignedUrls.empty': ({ service }) => service.from('cc-priv').createSignedUrls([], 60),
  createSignedUploadUrl: async ({ service }) => {
    const answer = await service.from('cc-priv').createSignedUploadUrl('su/x.txt')
    uploadToken = answer.data?.token ?? ''
    return answer
  },
  'createSignedUploadUrl.existing': ({ service }) =>
    service.from('cc-priv').createSignedUploadUrl('su/x.txt'),
  'createSignedUploadUrl.upsert': ({ service }) =>
    service.from('cc-priv').createSignedUploadUrl('su/x.txt', { upsert: true }),
  uploadToSignedUrl: ({ service }) =>
    service.from('cc-priv').uploadToSignedUrl('su/x.txt', uploadToken, text('su'), {
      ...PLAIN,
      metadata: { a: 'su' },
    }),
  'uploadToSignedUrl.again': ({ service }) =>
    service.from('cc-priv').uploadToSignedUrl('su/x.txt', uploadToken, text('su'), PLAIN),
  getPublicUrl: ({ service }) => service.from('cc-pub').getPublicUrl('d ir/a+b?.png', { download: 'x.png' }),
  'getPublicUrl.transform': ({ service }) =>
    service.from('cc-pub').getPublicUrl('a.png', { transform: { width: 10 } }),
  list: ({ service }) => service.from('cc-priv').list('a', { limit: 2 }),
  'list.root': ({ service }) => service.from('cc-priv').list(),
  'list.search': ({ service }) => service.from('cc-priv').list('a', { search: 'b' }),
  listV2: ({ service }) => service.from('cc-priv').listV2({ prefix: 'a/', limit: 2, with_delimiter: true }),
  copy: ({ service }) => service.from('cc-priv').copy('a/b.txt', 'a/copy.txt'),
  'copy.dup': ({ service }) => service.from('cc-priv').copy('a/b.txt', 'a/copy.txt'),
  'copy.crossbucket': ({ service }) =>
    service.from('cc-priv').copy('a/b.txt', 'z/copy.txt', { destinationBucket: 'cc-pub' }),
  move: ({ service }) => service.from('cc-priv').move('a/copy.txt', 'a/moved.txt'),
  'move.missing': ({ service }) => service.from('cc-priv').move('a/copy.txt', 'a/moved2.txt'),
  'remove.mixed': ({ service }) => service.from('cc-priv').remove(['a/moved.txt', 'nope.txt']),
  'remove.missing': ({ service }) => service.from('cc-priv').remove(['nope.txt']),
  'remove.empty': ({ service }) => service.from('cc-priv').remove([]),
  'anon.upload': ({ anon }) => anon.from('cc-priv').upload('q', text('x'), PLAIN),
  'anon.remove': ({ anon }) => anon.from('cc-priv').remove(['a/b.txt']),
  'anon.list': ({ anon }) => anon.from('cc-priv').list(),
  'badkey.list': ({ stranger }) => stranger.from('cc-priv').list(),
  'network-error': ({ nobody }) => nobody.from('cc-priv').list(),
}
