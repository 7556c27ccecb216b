/** The development handler answers as a real imgproxy did, but for what is listed here with the reason. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type DevImagesOptions, devImages } from '../../../src/server/index.ts'
import { type Answer, compared, OPTION_ROWS, readAnswer, VECTORS, type Vector } from './recorded-answers.ts'
import {
  bucketOrigin,
  fileOrigin,
  LOCAL_KEYS,
  S3_KEYS,
  type SourceServer,
  sourceFiles,
  storedFiles,
} from './recorded-sources.ts'

const KEY = '943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881'
const SALT = '520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5'
/** Where the servers stood whose addresses the recorded URLs name, and sign. */
const RECORDED_FILES = 'http://127.0.0.1:9922'
const RECORDED_BUCKET = 'http://127.0.0.1:9921'
const NOW_SECONDS = 1_800_000_000

const NOT_LIKE_IMGPROXY: Record<string, string> = {
  flip: 'the option is not known here',
  watermark: 'the option is not known here',
  'max bytes 3000 webp': 'the option is not known here',
  'output jxl': 'sharp does not write it',
  'output bmp': 'sharp does not write it',
  'output ico': 'sharp does not write it',
  'svg source no ext stays svg (sanitised)': 'nothing here makes an SVG harmless',
  'forbidden option -> 404': 'there is no list of allowed options here',
  'max result dimension': 'security options are never allowed here',
  'absolute source not under BASE_URL gets the base prepended -> 404': 'there is no base URL here',
}
const NOT_KNOWN_HERE =
  /^(?:exar|extend_ar|t|trim|pd|rot|fl|flip|sh|pix|wm|sm|strip_metadata|kcr|scp|ph|eth|fq|mb|skp)$/
const NOT_WRITTEN_HERE = /^f:(?:jxl|bmp|heic)$/

const SETTINGS: Record<string, DevImagesOptions> = {
  'IMGPROXY_SIGNATURE_SIZE=8': { signatureSize: 8 },
  'IMGPROXY_KEY=k1,k2 SALT=s1,s2': { key: [KEY, '736563726574'], salt: [SALT, '68656C6C6F'] },
  'IMGPROXY_TRUSTED_SIGNATURES=trusted-sig,letmein': { trustedSignatures: ['trusted-sig', 'letmein'] },
  'IMGPROXY_ONLY_PRESETS=true': { onlyPresets: true },
  'no key/salt': { key: undefined, salt: undefined, unsigned: true },
  'IMGPROXY_SOURCE_URL_QUERY_SEPARATOR= (empty)': { querySeparator: '' },
  'BASE_URL=http://127.0.0.1:9922/ AUTO_WEBP ALLOWED_SOURCES PATH_PREFIX=/img': { basePath: '/img' },
  'IMGPROXY_ALLOWED_SOURCES=local://,s3://': { origins: [] },
  // Of these settings none has a counterpart here: what they change is listed above.
  'ALLOW_SECURITY_OPTIONS, BASE64_URL_INCLUDES_FILENAME, ALLOWED_PROCESSING_OPTIONS=rs,f,q,fn,cb,msr,msfs,maf,mafr,mrd':
    {},
}

let files: SourceServer
let bucket: SourceServer
let common: DevImagesOptions

beforeAll(async () => {
  const sources = await sourceFiles()
  const signatures = VECTORS.filter(vector => vector.status === 200).map(
    ({ sourceUrl }) => /X-Amz-Signature=([0-9a-f]+)/.exec(sourceUrl)?.[1] ?? 'none',
  )
  files = await fileOrigin(sources)
  bucket = await bucketOrigin(sources, new Set(signatures))
  common = {
    key: KEY,
    salt: SALT,
    local: await storedFiles(sources, LOCAL_KEYS),
    buckets: { photos: await storedFiles(sources, S3_KEYS) },
    origins: [RECORDED_FILES, RECORDED_BUCKET, 'http://127.0.0.1:1'],
    presets: { thumb: 'rs:fill:100:100', placeholder: 'rs:fit:32:0/bl:5' },
    now: () => NOW_SECONDS * 1000,
  }
  // The URLs are signed and can't name the ports that were free today.
  const real = fetch
  vi.stubGlobal('fetch', (target: URL, init: RequestInit) => {
    const here = target.href.replace(RECORDED_FILES, files.origin).replace(RECORDED_BUCKET, bucket.origin)
    return real(here, init)
  })
})

afterAll(async () => {
  vi.unstubAllGlobals()
  await Promise.all([files?.close(), bucket?.close()])
})

async function ask(options: DevImagesOptions, path: string, method = 'GET'): Promise<Answer> {
  files.asked.length = 0
  const response = await devImages({ ...common, ...options })(new Request(`http://images${path}`, { method }))
  return readAnswer(response, files.asked)
}

async function answerOf(vector: Vector): Promise<Record<string, unknown>> {
  const { server, signedPath, method } = vector
  return compared(vector, await ask(server === undefined ? {} : SETTINGS[server]!, signedPath, method))
}

describe('devImages and the URLs that a real imgproxy answered', () => {
  const answered = VECTORS.filter(vector => vector.status !== null)

  test.each(answered.filter(vector => !(vector.name in NOT_LIKE_IMGPROXY)))('$name', async vector => {
    expect(await answerOf(vector)).toEqual(compared(vector))
  })

  test.each(Object.keys(NOT_LIKE_IMGPROXY))('%s: differs, as the list says', async name => {
    const vector = answered.find(one => one.name === name)!
    expect(await answerOf(vector)).not.toEqual(compared(vector))
  })

  test.each(VECTORS.filter(vector => vector.status === null))(
    '$name: the signature is right',
    async vector => {
      const { key, salt, signatureSize = 32, signedPath } = vector
      const answer = await ask({ key, salt, signatureSize, origins: [] }, signedPath)
      expect(answer).toMatchObject({ status: 404, body: 'Invalid source URL' })
      const changed = await ask({ key, salt, signatureSize, origins: [] }, `${signedPath}x`)
      expect(changed).toMatchObject({ status: 403, body: 'Forbidden' })
    },
  )
})

describe('devImages and the options that a real imgproxy took or refused', () => {
  const isHere = ({ segment }: { segment: string }) =>
    !NOT_WRITTEN_HERE.test(segment) &&
    !segment.split('/').some(option => NOT_KNOWN_HERE.test(option.split(':')[0]!))

  test.each(OPTION_ROWS.filter(isHere))('$segment gives $status', async row => {
    expect(compared(row, await ask({}, signed(row)))).toEqual(compared(row))
  })

  test.each(OPTION_ROWS.filter(row => !isHere(row)))('$segment is refused', async row => {
    const path = signed(row)
    const response = await devImages(common)(new Request(`http://images${path}`))
    expect([404, 422]).toContain(response.status)
    expect(await response.text()).toBe('Invalid URL')
    expect(response.headers.get('x-dev-images-reason')).toMatch(/imgproxy/)
  })

  function signed({ segment, status }: { segment: string; status: number }): string {
    const time = String(status === 200 ? NOW_SECONDS + 60 : NOW_SECONDS - 60)
    // Signed as it is sent, and not as imgproxy reads it: that is what a 403 was recorded for.
    const path = `/${segment.replace('<unix>', time)}/plain/${encodeURIComponent(`${RECORDED_FILES}/photo.jpg`)}`
    const bytes = createHmac('sha256', Buffer.from(KEY, 'hex')).update(Buffer.from(SALT, 'hex')).update(path)
    return `/${bytes.digest('base64url')}${path}`
  }
})
