/** The development handler against the cases that a real imgproxy is tested with. */
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { type DevImagesOptions, devImages } from '../../../src/server/index.ts'
import { PRESETS, serverCases, type Variant } from '../../images/imgproxy/server-cases.ts'
import { KEY, SALT } from './signed-urls.ts'

const keys = { key: [KEY, '00ff'], salt: [SALT, 'ff00'] }
const local = memory()
const bucket = memory()
const VARIANTS: Record<Variant, DevImagesOptions> = {
  usual: {},
  'short signatures': { signatureSize: 8 },
  'only presets': { onlyPresets: true },
}

serverCases({
  name: 'devImages',
  key: keys.key.join(),
  salt: keys.salt.join(),
  url: () => 'http://images/img',
  ask(variant, url, origin) {
    const options = { ...keys, local, buckets: { photos: bucket }, origins: [origin], presets: PRESETS }
    return devImages({ ...options, basePath: '/img', ...VARIANTS[variant] })(new Request(url))
  },
  store: { local: storeIn(local, 'local:///'), s3: storeIn(bucket, 's3://photos/') },
  cannot: {
    '{"rotate":90,"width":100}': 'the option is not known here',
    '{"padding":{"top":5,"left":10},"width":100}': 'the option is not known here',
    '{"extendAspectRatio":true,"width":3000,"height":3000}': 'the option is not known here',
  },
})

function storeIn(provider: StorageProvider, prefix: string) {
  return async (key: string, bytes: Uint8Array) => {
    await provider.upload(key, bytes)
    return `${prefix}${key}`
  }
}
