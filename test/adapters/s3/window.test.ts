import { describe, expect, it, test } from 'vitest'
import { s3 } from '../../../src/adapters/s3/index.ts'
import type { S3Options } from '../../../src/adapters/s3/options.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { newBucket } from './bucket.ts'

const HOUR = 3600
const DAY = 24 * HOUR
/** A full hour. */
const NOON = Date.parse('2026-03-01T12:00:00Z')

function signer(options: object = {}) {
  let at = NOON
  const files = s3({
    bucket: 'photos',
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the tests' },
    windowSeconds: HOUR,
    now: () => at,
    ...options,
  } as S3Options)
  return {
    files,
    /** The URL of `a` at so many seconds past noon. */
    sign(seconds: number, wish: object = {}) {
      at = NOON + seconds * 1000
      return files.signedUrl('a', { expiresIn: DAY, ...wish })
    },
  }
}

describe('windowSeconds', () => {
  it('gives one URL for the whole window, in each process, and another in the next', async () => {
    const one = signer()
    const two = signer()
    const { url } = await one.sign(0)
    expect((await one.sign(HOUR - 0.001)).url).toBe(url)
    expect((await two.sign(1800)).url).toBe(url)
    expect((await one.sign(HOUR)).url).not.toBe(url)
    const [many] = await two.files.signedUrls(['a'], { expiresIn: DAY })
    expect(many).toMatchObject({ ok: true, value: { url } })
    expect((await two.sign(-0.001)).url).not.toBe(url)
  })

  it('tells the true end: at most the lifetime away, at least the lifetime less the window', async () => {
    const { sign } = signer()
    for (const seconds of [0, 1, 1800, HOUR - 0.001]) {
      const { url, expiresAt } = await sign(seconds)
      const query = new URL(url).searchParams
      expect([query.get('X-Amz-Date'), query.get('X-Amz-Expires')]).toEqual(['20260301T120000Z', String(DAY)])
      expect(expiresAt).toEqual(new Date(NOON + DAY * 1000))
    }
  })

  it('tells wishes apart, and holds for HEAD, too', async () => {
    const { sign } = signer()
    const wishes = [{}, { method: 'HEAD' }, { download: 'b.txt' }, { expiresIn: DAY + 1 }]
    const urls = await Promise.all(wishes.map(async wish => (await sign(5, wish)).url))
    expect(new Set(urls).size).toBe(wishes.length)
    for (const [index, wish] of wishes.entries()) expect((await sign(6, wish)).url).toBe(urls[index])
  })

  it('leaves what writes as it is: signed now, for its whole lifetime', async () => {
    const { files, sign } = signer()
    const { url, expiresAt } = await sign(90, { method: 'PUT', expiresIn: 60 })
    expect(url).toContain('X-Amz-Date=20260301T120130Z')
    expect(expiresAt).toEqual(new Date(NOON + 150_000))
    const upload = await files.signedUpload('a', { expiresIn: 60, maxSize: 9 })
    expect(upload.expiresAt).toEqual(new Date(NOON + 150_000))
  })

  it('refuses a lifetime that is not above the window, each time it is asked for', async () => {
    const { sign } = signer()
    for (const expiresIn of [60, HOUR])
      await expect(sign(0, { expiresIn })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringMatching(/expiresIn must be above windowSeconds, which is 3600/),
      })
    expect(await sign(0, { expiresIn: HOUR + 1 })).toMatchObject({ method: 'GET' })
  })

  it('takes a temporary credential for as long as its URLs live, not for longer', async () => {
    const until = (seconds: number) => ({
      credentials: {
        accessKeyId: 'AKIDEXAMPLE',
        secretAccessKey: 'a secret of the tests',
        expiration: new Date(NOON + seconds * 1000),
      },
    })
    // Half an hour of the day is over already when the URL is handed out.
    expect(await signer(until(DAY)).sign(1800)).toMatchObject({ expiresAt: new Date(NOON + DAY * 1000) })
    await expect(signer(until(DAY - 1)).sign(1800)).rejects.toThrow(/the credentials end in/)
  })

  it.each([[-1], [1.5], [604_800], ['60']])('of %o is refused', windowSeconds => {
    expect(() => signer({ windowSeconds })).toThrow(/windowSeconds must be a (?:whole )?number/)
  })
})

describeOnS3Servers('windowSeconds', server => {
  test('gives URLs that serve at once, half a window old, and until their end', async () => {
    const { files: provider } = await newBucket(server)
    await provider().upload('a', 'bytes')
    const files = provider({ windowSeconds: 2 * DAY })
    const { url, expiresAt } = await files.signedUrl('a', { expiresIn: 4 * DAY })
    expect(await (await fetch(url)).text()).toBe('bytes')
    expect((await provider({ windowSeconds: 2 * DAY }).signedUrl('a', { expiresIn: 4 * DAY })).url).toBe(url)
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(2 * DAY * 1000 - 60_000)
    // The window before last began more than a lifetime ago.
    const then = expiresAt.getTime() - 4 * DAY * 1000 - 4 * DAY * 1000
    const old = await provider({ windowSeconds: 2 * DAY, now: () => then }).signedUrl('a', {
      expiresIn: 4 * DAY,
    })
    expect(old.expiresAt.getTime()).toBeLessThan(Date.now())
    expect((await fetch(old.url)).status).toBe(403)
  })
})
