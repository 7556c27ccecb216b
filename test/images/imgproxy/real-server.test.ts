/**
 * The builder against a real imgproxy 4 on this machine, where one is named:
 *
 * - `STOWAGE_TEST_IMGPROXY_URL`: `http://127.0.0.1:8080`, with `IMGPROXY_ALLOW_LOOPBACK_SOURCE_ADDRESSES=true`,
 *   `IMGPROXY_MAX_ANIMATION_FRAMES=64` and
 *   `IMGPROXY_PRESETS=thumb=rs:fill:100:100,placeholder=rs:fit:32:0/bl:5`
 * - `STOWAGE_TEST_IMGPROXY_KEY`, `STOWAGE_TEST_IMGPROXY_SALT`: its own; several, with commas, test their rotation
 * - `STOWAGE_TEST_IMGPROXY_LOCAL_ROOT`: its `IMGPROXY_LOCAL_FILESYSTEM_ROOT`, in which files are made and removed
 * - `STOWAGE_TEST_IMGPROXY_S3`: `http://id:secret@127.0.0.1:9000/bucket`, where it finds `s3://bucket/…`
 * - `STOWAGE_TEST_IMGPROXY_SHORT_URL`: one more, with `IMGPROXY_SIGNATURE_SIZE=8`
 * - `STOWAGE_TEST_IMGPROXY_PRESETS_URL`: one more, with `IMGPROXY_ONLY_PRESETS=true`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { s3 } from '../../../src/adapters/s3/index.ts'
import { imgproxy } from '../../../src/images/imgproxy/index.ts'
import { photo } from '../../server/dev-images/recorded-sources.ts'
import { serverCases } from './server-cases.ts'

const {
  STOWAGE_TEST_IMGPROXY_URL: url,
  STOWAGE_TEST_IMGPROXY_KEY: key = '',
  STOWAGE_TEST_IMGPROXY_SALT: salt = '',
  STOWAGE_TEST_IMGPROXY_LOCAL_ROOT: root,
  STOWAGE_TEST_IMGPROXY_S3: s3Url,
  STOWAGE_TEST_IMGPROXY_SHORT_URL: shortUrl,
  STOWAGE_TEST_IMGPROXY_PRESETS_URL: presetsUrl,
} = process.env

if (url === undefined) {
  test.skip('the URLs are answered by a real imgproxy [skipped: STOWAGE_TEST_IMGPROXY_URL names none]', () => {})
} else {
  const folder = root === undefined ? undefined : mkdtempSync(join(root, 'stowage-'))
  const bucket = s3Url === undefined ? undefined : bucketOf(s3Url)

  afterAll(async () => {
    if (folder !== undefined) rmSync(folder, { recursive: true })
    if (bucket === undefined) return
    await bucket.files.deleteMany(bucket.files.list({ prefix: bucket.prefix }))
    await bucket.files.close()
  })

  serverCases({
    name: 'a real imgproxy',
    key,
    salt,
    url: variant => ({ usual: url, 'short signatures': shortUrl, 'only presets': presetsUrl })[variant],
    ask: (_, asked) => fetch(asked, { redirect: 'error' }),
    store: {
      local:
        folder === undefined
          ? undefined
          : async (name, bytes) => {
              await mkdir(dirname(join(folder, name)), { recursive: true })
              await writeFile(join(folder, name), bytes)
              return `local:///${basename(folder)}/${name}`
            },
      s3:
        bucket === undefined
          ? undefined
          : async (name, bytes) => {
              await bucket.files.upload(bucket.prefix + name, bytes, { contentType: 'image/jpeg' })
              return `s3://${bucket.name}/${bucket.prefix}${name}`
            },
    },
  })

  describe('a real imgproxy and signed sources', () => {
    const keys = ['photo.jpg', '写真 1+2.jpg', `what? it's #1 (100%).jpg`]
    const none = bucket === undefined ? ' [skipped: STOWAGE_TEST_IMGPROXY_S3 is not set]' : ''
    test.skipIf(bucket === undefined).each(keys)(`fetches %s by its signed URL${none}`, async name => {
      const { files, prefix } = bucket!
      await files.upload(prefix + name, await (await photo()).jpeg().toBuffer())
      const signed = await files.signedUrl(prefix + name, { expiresIn: 600 })
      for (const sourceEncoding of ['plain', 'base64'] as const) {
        const images = imgproxy({ url, key, salt, sourceEncoding, allowSignedSource: true })
        expect((await fetch(images.url(signed.url, { width: 30 }))).status).toBe(200)
      }
    })
  })
}

function bucketOf(text: string) {
  const { origin, username, password, pathname } = new URL(text)
  const name = pathname.slice(1)
  const files = s3({
    bucket: name,
    endpoint: origin,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) },
  })
  return { name, files, prefix: `stowage-${process.pid}/` }
}
